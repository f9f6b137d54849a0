package control

import (
	"context"
	"net"
	"sync"
	"time"
)

// reopenInterval is how often a listener tries to get its port back, should somebody else have taken it meanwhile.
const reopenInterval = 10 * time.Millisecond

// Listen listens on a free port of loopback for a service of an instance. A fault with effect Down makes the address
// refuse connections for a while; the service's server does not notice.
func (k *Kernel) Listen(ctx context.Context, side, instance string) (net.Listener, error) {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &listener{address: socket.Addr(), socket: socket, back: make(chan struct{}), conns: map[string]net.Conn{}}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.listeners == nil {
		k.listeners = map[[2]string]*listener{}
	}
	k.listeners[[2]string{side, instance}] = l
	return l, nil
}

// down ends everything at a service's address but the connection of the sender who is still to get an answer.
func (k *Kernel) down(side, instance string, d time.Duration, sender string) {
	k.mu.Lock()
	l := k.listeners[[2]string{side, instance}]
	k.mu.Unlock()
	if l != nil {
		l.down(d, sender)
	}
}

// listener is a net.Listener that can refuse connections and come back.
type listener struct {
	address net.Addr

	mu     sync.Mutex
	socket net.Listener  // nil while down
	back   chan struct{} // closed, and made anew, when the listener comes back or is closed
	closed bool
	conns  map[string]net.Conn // open ones by the address of the other end
}

// Accept implements net.Listener. It waits while the listener is down.
func (l *listener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		socket, back, closed := l.socket, l.back, l.closed
		l.mu.Unlock()
		switch {
		case closed:
			return nil, net.ErrClosed
		case socket == nil:
			<-back
			continue
		}
		conn, err := socket.Accept()
		if err == nil {
			return l.keep(conn), nil
		}
		if l.current(socket) {
			return nil, err
		}
	}
}

func (l *listener) current(socket net.Listener) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.socket == socket
}

func (l *listener) keep(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn.RemoteAddr().String()] = conn
	return &keptConn{tcp, l}
}

// keptConn is a connection that its listener knows while it is open.
type keptConn struct {
	*net.TCPConn
	listener *listener
}

// Close implements net.Conn.
func (c *keptConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c.RemoteAddr().String())
	c.listener.mu.Unlock()
	return c.TCPConn.Close()
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	close(l.back)
	if l.socket == nil {
		return nil
	}
	return l.socket.Close()
}

// Addr implements net.Listener. It is the same before and after an outage.
func (l *listener) Addr() net.Addr { return l.address }

func (l *listener) down(d time.Duration, sender string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.socket == nil {
		return
	}
	_ = l.socket.Close()
	l.socket = nil
	for address, conn := range l.conns {
		if address != sender {
			_ = conn.Close()
		}
	}
	time.AfterFunc(d, l.reopen)
}

func (l *listener) reopen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	socket, err := new(net.ListenConfig).Listen(context.Background(), "tcp", l.address.String())
	if err != nil {
		time.AfterFunc(reopenInterval, l.reopen)
		return
	}
	l.socket = socket
	close(l.back)
	l.back = make(chan struct{})
}

'use strict';
// Turns connections to AWS to ports on loopback, underneath the code under test, which runs as rendered: it resolves
// no name of AWS, but speaks TLS with the server's name checked against the certificate of the fake.
const net = require('net');

// ports maps a region to a port; '*' is any other region, and null a name that does not resolve.
exports.redirect = function (ports) {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const options = Array.isArray(args[0]) ? args[0][0] : args[0];
    const [, region] = /^sns\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/.exec(options.host) || [];
    if (region === undefined) throw new Error(`the test reached for ${options.host}`);
    const port = region in ports ? ports[region] : ports['*'];
    const turned = { ...options, port: port || options.port, lookup: port === null ? notFound : loopback };
    return connect.call(this, turned, ...args.slice(1));
  };
};

// Two addresses, as a host of AWS may have: with more than one Node 20 has ideas of its own about time limits.
function loopback(hostname, { all }, callback) {
  const addresses = [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.2', family: 4 }];
  if (all) setImmediate(callback, null, addresses);
  else setImmediate(callback, null, addresses[0].address, 4);
}

function notFound(hostname, options, callback) {
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
  setImmediate(callback, Object.assign(error, { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo', hostname }));
}

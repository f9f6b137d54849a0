'use strict';

// Gives deployed code the only network it has in the sandbox: connections to AWS end at the emulated account's TLS
// gateway, every other one is refused. It patches the one place that http, https, fetch and every SDK go through, so
// the code itself stays as deployed, TLS verification included.

const dgram = require('node:dgram');
const net = require('node:net');

const aws = /^([a-z0-9-]+\.)+amazonaws\.com(\.cn)?$/i;

module.exports = function turnNetwork(gateway) {
  const connect = net.Socket.prototype.connect;

  net.Socket.prototype.connect = function (...args) {
    const [options, listener] = normalize(args);
    if (aws.test(options.host)) {
      return connect.call(this, { ...options, host: gateway.host, port: gateway.port, lookup: undefined }, listener);
    }
    // As a real refusal: until it comes, writes are kept, and it comes when the caller has put its listeners in place.
    this.connecting = true;
    setImmediate(() => this.destroy(refusal(options.path ?? `${options.host ?? 'localhost'}:${options.port}`)));
    return this;
  };

  dgram.Socket.prototype.send = dgram.Socket.prototype.connect = () => {
    throw refusal('a UDP address');
  };
};

// normalize gives [options, listener] for each way to call net.Socket.prototype.connect. Node's own modules pass both
// in one array.
function normalize(args) {
  if (Array.isArray(args[0])) return args[0];
  const listener = typeof args.at(-1) === 'function' ? args.at(-1) : undefined;
  if (typeof args[0] === 'object') return [args[0], listener];
  if (typeof args[0] === 'string' && !/^\d+$/.test(args[0])) return [{ path: args[0] }, listener];
  return [{ port: args[0], host: typeof args[1] === 'string' ? args[1] : 'localhost' }, listener];
}

function refusal(address) {
  const error = new Error(`auth0sns sandbox: connection to ${address} refused: only *.amazonaws.com can be reached, and that is the emulated account`);
  return Object.assign(error, { code: 'ECONNREFUSED' });
}

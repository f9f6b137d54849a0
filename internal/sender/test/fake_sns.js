'use strict';
// A fake Amazon SNS on loopback that keeps every request and answers each phone number as its script says.
const fs = require('fs');
const https = require('https');
const net = require('net');

const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

exports.start = async function () {
  const requests = [];
  const scripts = new Map();
  const server = https.createServer({
    cert: fs.readFileSync(process.env.SENDER_TEST_CERT),
    key: fs.readFileSync(process.env.SENDER_TEST_KEY),
  });
  server.on('request', (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
      const number = form.get('PhoneNumber');
      const { method, url, headers } = request;
      requests.push({ method, url, headers, number, form });
      const script = scripts.get(number) || [];
      const behaviour = script.length > 1 ? script.shift() : script[0];
      (behaviour || exports.accept)(response, form);
    });
  });
  const silent = net.createServer(() => {});
  const refusing = net.createServer();
  const port = await listen(server);
  const silentPort = await listen(silent);
  const refusedPort = await listen(refusing);
  await new Promise((resolve) => refusing.close(resolve));
  return {
    ports: { '*': port, 'us-silent-1': silentPort, 'us-refused-1': refusedPort, 'us-nowhere-1': null },
    /** The requests for one number; a number per test keeps tests apart. */
    requests: (number) => requests.filter((request) => request.number === number),
    /** What the number's requests get, one after the other; the last goes on for ever. */
    answer: (number, ...behaviours) => scripts.set(number, behaviours),
    stop() {
      server.close();
      server.closeAllConnections();
      silent.close();
    },
  };
};

exports.accept = function (response) {
  response.setHeader('content-type', 'text/xml');
  response.end(
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>' +
      'b1a1f0d4-0000-5000-8000-000000000000</MessageId></PublishResult></PublishResponse>'
  );
};

/** An error as SNS words it, with all that must not travel on in the message. */
exports.refuse = (status, code) =>
  function (response, form) {
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(
      `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code>` +
        `<Message>not authorized to perform: SNS:Publish on resource: ${form.get('PhoneNumber')} ` +
        `${encodeURIComponent(form.get('Message'))}</Message></Error><RequestId>r</RequestId></ErrorResponse>`
    );
  };

exports.html = (status) =>
  function (response) {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end('<html><body>no XML here');
  };

exports.drop = (response) => response.socket.destroy();

exports.ignore = () => {};

/** Headers at once, then a byte now and then: no idle timeout would ever end it. */
exports.trickle = function (response) {
  response.writeHead(200, { 'content-type': 'text/xml' });
  const timer = setInterval(() => response.write(' '), 100);
  response.on('close', () => clearInterval(timer));
};

exports.after = (ms, behaviour) => (response, form) => setTimeout(behaviour, ms, response, form);

// Client: the AWS SDK for JavaScript v2, as in Auth0's guide. Only its SNS part, which loads twice as fast as the whole.
const SNS = require('aws-sdk/clients/sns');
const { getSystemErrorName } = require('util');

function transmit(message, region, { accessKeyId, secretAccessKey }, timeoutMs) {
  const client = new SNS({
    apiVersion: '2010-03-31',
    region,
    accessKeyId,
    secretAccessKey,
    // By itself the SDK sends again after a dropped connection, and waits two minutes for an answer.
    maxRetries: 0,
    // By default Node 20 and later give each address of a host 250 ms to connect; a distant region needs longer.
    httpOptions: { connectTimeout: timeoutMs, timeout: timeoutMs, autoSelectFamily: false },
  });
  const request = client.publish(message);
  const sent = request.promise().catch((error) => {
    throw refusal(error.statusCode ? error.code : networkCode(error), error.statusCode);
  });
  return { sent, stop: () => request.abort() };
}

// The SDK calls a dropped connection TimeoutError and every other network error NetworkingError or, where Node gives a
// numeric errno, UnknownEndpoint. The errno still tells them apart.
function networkCode(error) {
  const { errno, syscall } = error.originalError || error;
  if (syscall === 'getaddrinfo') return 'ENOTFOUND';
  if (errno === undefined) return error.code;
  return typeof errno === 'number' ? getSystemErrorName(errno) : errno;
}

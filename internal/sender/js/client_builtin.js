// Client: Node's own modules, nothing to install.
const crypto = require('crypto');
const https = require('https');

function transmit(message, region, credentials) {
  const body = encodeForm(publishParameters(message));
  const request = {
    method: 'POST',
    query: '',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      host: `sns.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`,
      // Not required; the SDKs send it, and an emulator that re-encodes the form can check the signature only with it.
      'x-amz-content-sha256': sha256(body),
      'x-amz-date': new Date().toISOString().replace(/[:-]|\.\d+/g, ''),
    },
    body,
  };
  const authorization = sign(request, region, 'sns', credentials);
  const outgoing = https.request({
    method: request.method,
    host: request.headers.host,
    headers: Object.assign({ authorization }, request.headers),
    // A kept-alive connection that AWS has closed meanwhile would look like a message that was perhaps taken.
    agent: false,
    // By default Node 20 and later give each address of a host 250 ms to connect; a distant region needs longer.
    autoSelectFamily: false,
  });
  const sent = new Promise((resolve, reject) => {
    const broken = (error) => reject(refusal(error.code));
    outgoing.on('error', broken);
    outgoing.on('response', (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('error', broken);
      response.on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200) return resolve();
        const [, code] = /<Code>([^<]*)<\/Code>/.exec(answer) || [];
        return reject(refusal(code, response.statusCode));
      });
    });
  });
  outgoing.end(body);
  return { sent, stop: () => outgoing.destroy() };
}

function publishParameters({ PhoneNumber, Message, MessageAttributes }) {
  const parameters = { Action: 'Publish', Version: '2010-03-31', PhoneNumber, Message };
  Object.keys(MessageAttributes).forEach((name, i) => {
    const entry = `MessageAttributes.entry.${i + 1}`;
    parameters[`${entry}.Name`] = name;
    parameters[`${entry}.Value.DataType`] = MessageAttributes[name].DataType;
    parameters[`${entry}.Value.StringValue`] = MessageAttributes[name].StringValue;
  });
  return parameters;
}

// RFC 3986, which is stricter than encodeURIComponent: SigV4 is checked over exactly this form.
function encodeForm(parameters) {
  const encode = (value) =>
    encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return Object.keys(parameters)
    .sort()
    .map((name) => `${encode(name)}=${encode(parameters[name])}`)
    .join('&');
}

const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');

// AWS Signature Version 4: the Authorization header of a request to the path "/", all of its headers signed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
function sign({ method, query, headers, body }, region, service, { accessKeyId, secretAccessKey }) {
  const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();

  const names = Object.keys(headers).sort();
  const canonicalHeaders = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const canonicalRequest = [method, '/', query, canonicalHeaders, names.join(';'), sha256(body)].join('\n');

  const time = headers['x-amz-date'];
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const stringToSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonicalRequest)].join('\n');
  const signature = hmac(scope.reduce(hmac, `AWS4${secretAccessKey}`), stringToSign).toString('hex');

  const credential = `${accessKeyId}/${scope.join('/')}`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
}

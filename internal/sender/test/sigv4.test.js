'use strict';
// The signer of the builtin client against values that AWS published: the aws-sig-v4-test-suite (service "service")
// and the worked example of https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html (IAM ListUsers).
const assert = require('assert');
const fs = require('fs');
const Module = require('module');
const path = require('path');
const { it } = require('node:test');

const script = path.join(process.env.SENDER_TEST_SCRIPTS, 'builtin.default.js');
const inner = new Module(script);
inner._compile(`${fs.readFileSync(script, 'utf8')}\nmodule.exports = { sign, encodeForm };`, script);
const { sign, encodeForm } = inner.exports;

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const FORM = 'application/x-www-form-urlencoded';

const vectors = [
  { name: 'get-vanilla', want: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  { name: 'post-vanilla', method: 'POST', want: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b' },
  {
    name: 'get-vanilla-query-order-key-case',
    query: { Param2: 'value2', Param1: 'value1' },
    want: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    name: 'get-vanilla-utf8-query',
    query: { 'ሴ': 'bar' },
    want: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  {
    name: 'post-header-key-sort',
    method: 'POST',
    headers: { 'my-header1': 'value1' },
    want: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-x-www-form-urlencoded',
    method: 'POST',
    headers: { 'content-type': FORM },
    body: encodeForm({ Param1: 'value1' }),
    want: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  {
    name: 'IAM ListUsers',
    service: 'iam',
    host: 'iam.amazonaws.com',
    headers: { 'content-type': `${FORM}; charset=utf-8` },
    query: { Version: '2010-05-08', Action: 'ListUsers' },
    want: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  },
];
for (const { name, service = 'service', host = 'example.amazonaws.com', want, ...request } of vectors) {
  it(`signs ${name} as AWS does`, () => {
    const headers = { 'x-amz-date': '20150830T123600Z', host, ...request.headers };
    const query = encodeForm(request.query || {});
    const signed = sign({ method: 'GET', body: '', ...request, headers, query }, 'us-east-1', service, CREDENTIALS);
    assert.strictEqual(
      signed,
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/${service}/aws4_request, ` +
        `SignedHeaders=${Object.keys(headers).sort().join(';')}, Signature=${want}`
    );
  });
}

it('escapes all but the unreserved characters of RFC 3986', () => {
  const unreserved = 'AZaz09-_.~';
  assert.strictEqual(
    encodeForm({ 'a b': `${unreserved} !'()*&+=%#/\né` }),
    `a%20b=${unreserved}%20%21%27%28%29%2A%26%2B%3D%25%23%2F%0A%C3%A9`
  );
});

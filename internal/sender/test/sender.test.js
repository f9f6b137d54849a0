'use strict';
const assert = require('assert');
const { execFile } = require('child_process');
const path = require('path');
const { after, before, describe, it } = require('node:test');
const { promisify } = require('util');
const fake = require('./fake_sns.js');
const { redirect } = require('./redirect.js');
const { CODE, SECRETS, TEXT, call, context, load } = require('./hook.js');

let sns;
before(async () => {
  sns = await fake.start();
  redirect(sns.ports);
  // What a shared container may hold from someone else's code: nothing of it may be used.
  process.env.AWS_ACCESS_KEY_ID = 'AKIASOMEBODYELSE0000';
  process.env.AWS_SECRET_ACCESS_KEY = 'somebody-else';
  process.env.AWS_SESSION_TOKEN = 'somebody-else';
  process.env.AWS_REGION = 'us-somebody-1';
});
after(() => sns.stop());

let lastNumber = 15550000000;
const newNumber = (prefix = '') => `+${prefix}${(lastNumber += 7)}`;

const attributesOf = (form) => {
  const attributes = {};
  for (let i = 1; form.has(`MessageAttributes.entry.${i}.Name`); i += 1) {
    const entry = `MessageAttributes.entry.${i}`;
    attributes[form.get(`${entry}.Name`)] = [form.get(`${entry}.Value.DataType`), form.get(`${entry}.Value.StringValue`)];
  }
  return attributes;
};

const inRegion = (region) => context({ ...SECRETS, AWS_REGION: region });

const run = (script, ...args) =>
  promisify(execFile)(process.execPath, [path.join(__dirname, script), JSON.stringify(sns.ports), ...args], {
    env: { ...process.env, AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' },
  });

// The groups of tests run side by side, since some wait for time limits; all tests at once would overrun those.
const ONE_BY_ONE = { concurrency: false };
describe('clients', { concurrency: true }, () => process.env.SENDER_TEST_CLIENTS.split(',').forEach(testClient));

function testClient(client) {
  describe(client, { concurrency: true }, () => {
    describe('publishes', ONE_BY_ONE, () => {
      it('number and text with the key and the region of the secrets, and answers null and an object', async () => {
        const recipient = newNumber();
        const { error, response } = await call(load(client, 'default'), { recipient });
        assert.strictEqual(error, null);
        assert.deepStrictEqual(response, {});
        const [request, ...more] = sns.requests(recipient);
        assert.deepStrictEqual(more, []);
        const { method, url, headers, form } = request;
        assert.deepStrictEqual([method, url], ['POST', '/']);
        assert.strictEqual(headers.host, 'sns.eu-central-1.amazonaws.com');
        assert.match(headers['content-type'], /^application\/x-www-form-urlencoded/);
        assert.ok(headers['content-length'] > 0, 'SNS takes no chunked request');
        assert.match(headers.authorization, /^AWS4-HMAC-SHA256 Credential=AKIATESTKEYTESTKEY01\/\d{8}\/eu-central-1\/sns\//);
        assert.strictEqual(headers['x-amz-security-token'], undefined);
        assert.strictEqual(form.get('Action'), 'Publish');
        assert.strictEqual(form.get('Version'), '2010-03-31');
        assert.strictEqual(form.get('Message'), TEXT);
        assert.deepStrictEqual(attributesOf(form), { 'AWS.SNS.SMS.SMSType': ['String', 'Transactional'] });
        assert.strictEqual([...form.keys()].length, 7, 'more parameters than asked for');
      });

      it('every option as the message attribute of its name', async () => {
        const recipient = newNumber();
        const { error } = await call(load(client, 'full'), { recipient });
        assert.strictEqual(error, null);
        assert.deepStrictEqual(attributesOf(sns.requests(recipient)[0].form), {
          'AWS.SNS.SMS.SMSType': ['String', 'Promotional'],
          'AWS.SNS.SMS.SenderID': ['String', 'My-Shop'],
          'AWS.SNS.SMS.MaxPrice': ['Number', '0.50'],
          'AWS.MM.SMS.OriginationNumber': ['String', '+12065550100'],
          'AWS.MM.SMS.EntityId': ['String', '1201159000000000'],
          'AWS.MM.SMS.TemplateId': ['String', '1107160000000000<&>'],
        });
      });

      it('to the host of the China partition', async () => {
        const recipient = newNumber();
        const { error } = await call(load(client, 'default'), { recipient, context: inRegion('cn-north-1') });
        assert.strictEqual(error, null);
        assert.strictEqual(sns.requests(recipient)[0].headers.host, 'sns.cn-north-1.amazonaws.com.cn');
      });

      const texts = [
        'Your code is 739146 🔐👩‍👩‍👧',
        'Ваш код 739146',
        'आपका कोड 739146 है',
        'two\nlines\r\nand a\ttab',
        `()*!~&+=%#?/:;,@$'"[]{}<>|\\^\`-_.`,
        '  100 % sure + 1 = %2B  ',
        '\u2028separators\u2029',
        'x'.repeat(1600),
      ];
      for (const text of texts) {
        it(`the text byte for byte: ${JSON.stringify(text.slice(0, 40))}`, async () => {
          const recipient = newNumber();
          const { error } = await call(load(client, 'default'), { recipient, text });
          assert.strictEqual(error, null);
          assert.strictEqual(sns.requests(recipient)[0].form.get('Message'), text);
        });
      }

      it('a number written for people as E.164', async () => {
        for (const spelling of ['$1 ($2) $3-$4', ' $1-$2-$3-$4 ', '$1.$2.$3.$4', '$1\u00a0$2\u00a0$3$4']) {
          const number = newNumber();
          const recipient = number.replace(/(..)(...)(...)(....)/, spelling);
          const { error } = await call(load(client, 'default'), { recipient });
          assert.strictEqual(error, null);
          assert.strictEqual(sns.requests(number).length, 1, `not sent as E.164: ${recipient}`);
        }
      });

      it('to a country on the allow-list', async () => {
        for (const recipient of [newNumber('49'), newNumber('1242')]) {
          const { error } = await call(load(client, 'countries'), { recipient });
          assert.strictEqual(error, null);
          assert.strictEqual(sns.requests(recipient).length, 1);
        }
      });
    });

    describe('refuses before AWS is called', ONE_BY_ONE, () => {
      const refused = async (options, input, message) => {
        const { error } = await call(load(client, options), input);
        assert.match(error.message, message);
        assert.strictEqual(error.recoverable, false, 'trying again would fail again');
        const digits = String(input.recipient).replace(/\D/g, '');
        assert.deepStrictEqual(sns.requests(`+${digits}`), [], 'AWS was called');
      };
      const notE164 = ['1-808-555-5555', '08085556201', '+0155562020', '+1555620x030', '+1555620304050607', '+', '', null];
      for (const recipient of notE164) {
        it(`a number that is not E.164: ${recipient}`, () => refused('default', { recipient }, /E\.164/));
      }
      for (const recipient of ['+18085556301', '+431234567', '+488888888888']) {
        it(`a country outside the allow-list: ${recipient}`, () => refused('countries', { recipient }, /allowed country/));
      }
      it('a voice call', () =>
        refused('default', { recipient: newNumber(), context: { ...context(), message_type: 'voice' } }, /voice/));
      for (const text of ['', 0, null]) {
        it(`a text that is ${JSON.stringify(text)}`, () =>
          refused('default', { recipient: newNumber(), text }, /no text/));
      }
      for (const name of Object.keys(SECRETS)) {
        it(`a missing secret, by its name: ${name}`, async () => {
          const secrets = { ...SECRETS, [name]: undefined };
          await refused('default', { recipient: newNumber(), context: context(secrets) }, new RegExp(`: ${name}\\.$`));
        });
      }
      it('no secrets at all', async () => {
        const input = { recipient: newNumber(), context: { message_type: 'sms', webtask: {} } };
        await refused('default', input, /AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION/);
      });
      it('a context of unexpected shape', () =>
        refused('default', { recipient: newNumber(), context: {} }, /unexpected TypeError/));
      for (const region of ['evil.example/', 'eu-central-1\n', 'Frankfurt', SECRETS.AWS_SECRET_ACCESS_KEY]) {
        it(`a region that is none: ${JSON.stringify(region)}`, () =>
          refused('default', { recipient: newNumber(), context: inRegion(region) }, /AWS_REGION is not/));
      }
    });

    describe('says what AWS answered', ONE_BY_ONE, () => {
      const answers = [
        [403, 'InvalidClientTokenId', /InvalidClientTokenId \(HTTP 403\).*access key/, false],
        [403, 'SignatureDoesNotMatch', /secret key does not belong/, false],
        [403, 'AuthorizationError', /sns:Publish/, false],
        [403, 'AccessDenied', /sns:Publish/, false],
        [400, 'InvalidParameter', /InvalidParameter \(HTTP 400\).*phone number/, false],
        [400, 'ParameterValueInvalid', /phone number/, false],
        [400, 'ValidationException', /phone number/, false],
        [400, 'OptedOut', /opted out/, false],
        [400, 'LimitExceeded', /spend limit/, false],
        [400, 'SomethingNew', /SomethingNew \(HTTP 400\)\. AWS refused/, false],
        [400, '+15550000007', /UnknownError \(HTTP 400\)/, false],
        [500, 'InternalError', /InternalError \(HTTP 500\)\. Not sent again/, false],
        [502, 'BadGateway', /Not sent again/, false],
        [504, 'GatewayTimeout', /Not sent again/, false],
        [400, 'Throttling', /per second/, true],
        [400, 'ThrottlingException', /per second/, true],
        [429, 'Throttled', /per second/, true],
        [503, 'ServiceUnavailable', /ServiceUnavailable \(HTTP 503\)\. AWS is overloaded/, true],
      ];
      for (const [status, code, message, recoverable] of answers) {
        it(`${status} ${code}: ${recoverable ? 'two requests at most' : 'never a second request'}`, async () => {
          const recipient = newNumber();
          sns.answer(recipient, fake.refuse(status, code));
          const { error, response } = await call(load(client, 'default'), { recipient });
          assert.strictEqual(response, undefined);
          assert.match(error.message, message);
          assert.strictEqual(error.recoverable, recoverable);
          assert.strictEqual(error.status, status);
          assert.strictEqual(sns.requests(recipient).length, recoverable ? 2 : 1);
        });
      }
      it('503 without a readable answer', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.html(503));
        const { error } = await call(load(client, 'default'), { recipient });
        assert.match(error.message, /UnknownError \(HTTP 503\)\. AWS is overloaded/);
        assert.strictEqual(sns.requests(recipient).length, 2);
      });
      it('nothing wrong, the second time, after throttling', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.refuse(400, 'Throttling'), fake.accept);
        const { error } = await call(load(client, 'default'), { recipient });
        assert.strictEqual(error, null, 'one throttled request locked the person out');
        assert.strictEqual(sns.requests(recipient).length, 2);
      });
      it('the second refusal, if that is another', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.refuse(503, 'ServiceUnavailable'), fake.refuse(403, 'AuthorizationError'));
        const { error } = await call(load(client, 'default'), { recipient });
        assert.match(error.message, /AuthorizationError/);
      });
    });

    describe('never sends a code twice', ONE_BY_ONE, () => {
      for (const options of ['default', 'fallback']) {
        it(`when AWS takes the message and the connection drops (${options})`, async () => {
          const recipient = newNumber();
          sns.answer(recipient, fake.drop);
          const { error } = await call(load(client, options), { recipient });
          // The SDK calls it a timeout.
          assert.strictEqual(error.code, client === 'aws-sdk' ? 'TimeoutError' : 'ECONNRESET');
          assert.strictEqual(error.recoverable, false);
          assert.match(error.message, /Not sent again/);
          assert.strictEqual(sns.requests(recipient).length, 1, 'the person got the code twice');
        });
        it(`when AWS fails inside (${options})`, async () => {
          const recipient = newNumber();
          sns.answer(recipient, fake.refuse(500, 'InternalError'));
          await call(load(client, options), { recipient });
          assert.strictEqual(sns.requests(recipient).length, 1, 'the person may have got the code twice');
        });
      }
      it('when AWS never answers, and gives up in time', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.ignore);
        const { error, ms } = await call(load(client, 'quick'), { recipient });
        assert.match(error.message, /TimeoutError.*may still arrive/);
        assert.strictEqual(error.recoverable, false);
        assert.ok(ms >= 1990 && ms < 3500, `gave up after ${ms} ms instead of 2 s`);
        assert.strictEqual(sns.requests(recipient).length, 1);
      });
      it('when the answer only trickles in, and gives up in time', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.trickle);
        const { error, ms } = await call(load(client, 'quick'), { recipient });
        assert.match(error.message, /TimeoutError/);
        assert.ok(ms < 3500, `gave up after ${ms} ms instead of 2 s`);
        assert.strictEqual(sns.requests(recipient).length, 1);
      });
      it('when AWS accepts the connection but not TLS, and gives up in time', async () => {
        const { error, ms } = await call(load(client, 'quick'), { recipient: newNumber(), context: inRegion('us-silent-1') });
        assert.match(error.message, /TimeoutError/);
        assert.ok(ms < 3500, `gave up after ${ms} ms instead of 2 s`);
      });
    });

    describe('goes to the fallback regions', ONE_BY_ONE, () => {
      const hosts = (recipient) => sns.requests(recipient).map(({ headers }) => headers.host.split('.')[1]);

      it('in their order, each once, the first not again', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.refuse(503, 'ServiceUnavailable'));
        const { error } = await call(load(client, 'fallback'), { recipient });
        assert.strictEqual(error.status, 503);
        assert.deepStrictEqual(hosts(recipient), ['eu-central-1', 'eu-west-1', 'us-east-1']);
      });
      it('until one takes the message, signed for that region', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.refuse(400, 'Throttling'), fake.accept);
        const { error } = await call(load(client, 'fallback'), { recipient });
        assert.strictEqual(error, null);
        assert.deepStrictEqual(hosts(recipient), ['eu-central-1', 'eu-west-1']);
        assert.match(sns.requests(recipient)[1].headers.authorization, /\/eu-west-1\/sns\//);
      });
      for (const region of ['us-refused-1', 'us-nowhere-1']) {
        it(`when the first cannot be reached: ${region}`, async () => {
          const recipient = newNumber();
          const { error } = await call(load(client, 'fallback'), { recipient, context: inRegion(region) });
          assert.strictEqual(error, null, error && error.message);
          assert.deepStrictEqual(hosts(recipient), ['eu-west-1']);
        });
      }
      it('not after a refusal that is final', async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.refuse(403, 'InvalidClientTokenId'));
        await call(load(client, 'fallback'), { recipient });
        assert.deepStrictEqual(hosts(recipient), ['eu-central-1']);
      });
      it('within 8 seconds for all of them together', async () => {
        const recipient = newNumber();
        const slow = fake.after(2500, fake.refuse(503, 'ServiceUnavailable'));
        sns.answer(recipient, slow, slow, fake.ignore);
        const { error, ms } = await call(load(client, 'fallback'), { recipient });
        assert.match(error.message, /TimeoutError/);
        assert.ok(ms > 7500 && ms < 9500, `${ms} ms instead of 8 s`);
        assert.deepStrictEqual(hosts(recipient), ['eu-central-1', 'eu-west-1', 'us-east-1']);
      });
    });

    describe('without a fallback region', ONE_BY_ONE, () => {
      for (const [region, code] of [['us-refused-1', 'ECONNREFUSED'], ['us-nowhere-1', 'ENOTFOUND']]) {
        it(`reports a region that cannot be reached: ${code}`, async () => {
          const { error } = await call(load(client, 'default'), { recipient: newNumber(), context: inRegion(region) });
          assert.strictEqual(error.code, code);
          assert.strictEqual(error.recoverable, true);
        });
      }
    });

    describe('behaves as a guest', ONE_BY_ONE, () => {
      it('leaves the environment as it was', async () => {
        const environment = { ...process.env };
        await call(load(client, 'default'), { recipient: newNumber() });
        assert.deepStrictEqual({ ...process.env }, environment);
      });

      it('calls the callback once even when that throws, and does not hide it', async () => {
        const { stdout, stderr } = await run('throwing.js', client, newNumber());
        assert.strictEqual(stdout + stderr, 'of the platform\n1 call\n');
      });

      it('writes no log, whether it sends or fails', async () => {
        const numbers = Array.from({ length: 6 }, () => newNumber());
        sns.answer(numbers[1], fake.refuse(403, 'AuthorizationError'));
        sns.answer(numbers[2], fake.refuse(400, 'Throttling'));
        sns.answer(numbers[3], fake.drop);
        sns.answer(numbers[4], fake.ignore);
        const { stdout, stderr } = await run('quiet.js', client, ...numbers, '0808 555 6401');
        assert.strictEqual(stdout + stderr, '');
        for (const number of numbers) assert.ok(sns.requests(number).length > 0, `${number} was not tried`);
      });
    });
  });
}

it('the code is in the text of these tests, so a leak of it would be found', () => assert.ok(TEXT.includes(CODE)));

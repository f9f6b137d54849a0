'use strict';
// The Action of the Unified Phone Experience around the body that sender.test.js tests: what it takes from the event, and
// how it answers.
const assert = require('assert');
const { execFile } = require('child_process');
const path = require('path');
const { after, before, describe, it } = require('node:test');
const { promisify } = require('util');
const fake = require('./fake_sns.js');
const { redirect } = require('./redirect.js');
const { SECRETS, checkError, context, load } = require('./hook.js');
const { MESSAGES, event, run } = require('./phone_provider.js');

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

let lastNumber = 15570000000;
const newNumber = () => `+${(lastNumber += 7)}`;

for (const client of process.env.SENDER_TEST_CLIENTS.split(',')) {
  describe(`phone provider, ${client}`, () => {
    const action = (options = 'default') => load(`provider.${client}`, options);

    // Auth0 keeps one answer, the last; the reason goes to the tenant's log.
    const answered = async (method, input, options) => {
      const answers = await run(action(options), input);
      assert.strictEqual(answers.length, 1, answers.length === 0 ? 'reported as sent' : 'answered more than once');
      const [[given, reason]] = answers;
      assert.strictEqual(given, method, reason);
      assert.ok(reason.length <= 1024, 'Auth0 takes 1024 characters');
      const { recipient = '', as_text: text } = (input && input.notification) || {};
      const [, status] = /\(HTTP (\d+)\)/.exec(reason) || [];
      const error = Object.assign(new Error(reason), { recoverable: method === 'retry', status });
      checkError(error, recipient, text, context((input && input.secrets) || {}));
      return { reason, requests: sns.requests(recipient) };
    };
    const dropped = (input, options) => answered('drop', input, options);

    it('exports what Auth0 calls, and nothing else', () =>
      assert.deepStrictEqual(Object.keys(action()), ['onExecuteCustomPhoneProvider']));

    for (const message_type of Object.keys(MESSAGES)) {
      it(`sends as Auth0 worded it: ${message_type}`, async () => {
        const recipient = newNumber();
        assert.deepStrictEqual(await run(action(), event({ recipient, message_type })), []);
        const [{ headers, form }, ...more] = sns.requests(recipient);
        assert.deepStrictEqual(more, []);
        assert.strictEqual(form.get('Message'), MESSAGES[message_type].as_text);
        assert.match(headers.authorization, /Credential=AKIATESTKEYTESTKEY01\/\d{8}\/eu-central-1\/sns\//);
        assert.strictEqual(headers['x-amz-security-token'], undefined);
      });
    }

    it('sends a message of a type that is not known yet', async () => {
      const recipient = newNumber();
      const input = event({ recipient, message_type: 'something_new', as_text: 'Hello' });
      assert.deepStrictEqual(await run(action(), input), []);
      assert.strictEqual(sns.requests(recipient)[0].form.get('Message'), 'Hello');
    });

    it('reads no more of the event than number, text and secrets: nothing else is there for every message', async () => {
      const recipient = newNumber();
      const input = { notification: { recipient, as_text: 'Hello' }, secrets: SECRETS };
      assert.deepStrictEqual(await run(action(), input), []);
      assert.strictEqual(sns.requests(recipient).length, 1);
    });

    it('drops a voice call', async () => {
      const recipient = newNumber();
      const { reason, requests } = await dropped(event({ recipient, delivery_method: 'voice' }));
      assert.match(reason, /SMS only.*turn off voice/);
      assert.deepStrictEqual(requests, []);
    });

    for (const name of Object.keys(SECRETS)) {
      it(`drops for a missing secret, by its name: ${name}`, async () => {
        const input = event({ recipient: newNumber(), secrets: { ...SECRETS, [name]: undefined } });
        assert.match((await dropped(input)).reason, new RegExp(`: ${name}\\.$`));
      });
    }

    const misshapen = {
      'no event': [undefined, /unexpected TypeError/],
      'no notification': [event({ notification: undefined }), /unexpected TypeError/],
      'an empty notification': [event({ notification: {} }), /has no text|E\.164/],
      'no text': [event({ recipient: '+15550000000', as_text: undefined }), /has no text/],
      'no recipient': [event({ recipient: undefined }), /E\.164/],
      'a local number': [event({ recipient: '0808 555 6401' }), /E\.164/],
      'no secrets': [{ ...event({ recipient: '+15550000000' }), secrets: undefined }, /AWS_ACCESS_KEY_ID, AWS_SECRET/],
      'null for secrets': [event({ recipient: '+15550000000', secrets: null }), /unexpected TypeError/],
    };
    for (const [name, [input, reason]] of Object.entries(misshapen)) {
      it(`drops, and does not throw: ${name}`, async () => assert.match((await dropped(input)).reason, reason));
    }

    it('drops what goes to a country outside the allow-list', async () => {
      const recipient = newNumber();
      const { reason, requests } = await dropped(event({ recipient }), 'countries');
      assert.match(reason, /allowed country/);
      assert.deepStrictEqual(requests, []);
    });

    // [status, error code, answer, requests]: two where the body itself tries once more.
    const answers = [
      [400, 'Throttling', 'retry', 2],
      [400, 'ThrottlingException', 'retry', 2],
      [429, 'Throttled', 'retry', 2],
      [503, 'ServiceUnavailable', 'retry', 2],
      [400, 'InvalidParameter', 'drop', 1],
      [400, 'ParameterValueInvalid', 'drop', 1],
      [400, 'ValidationException', 'drop', 1],
      [400, 'OptedOut', 'drop', 1],
      [400, 'LimitExceeded', 'drop', 1],
      [403, 'AuthorizationError', 'drop', 1],
      [403, 'InvalidClientTokenId', 'drop', 1],
      [403, 'SignatureDoesNotMatch', 'drop', 1],
      [400, 'SomethingNew', 'drop', 1],
      [500, 'InternalError', 'drop', 1],
      [502, 'BadGateway', 'drop', 1],
      [504, 'GatewayTimeout', 'drop', 1],
    ];
    for (const [status, code, method, count] of answers) {
      it(`${method}: ${status} ${code}`, async () => {
        const recipient = newNumber();
        sns.answer(recipient, fake.refuse(status, code));
        const { reason, requests } = await answered(method, event({ recipient }));
        assert.ok(reason.includes(`${code} (HTTP ${status})`), reason);
        assert.strictEqual(requests.length, count);
      });
    }

    for (const [region, code] of [['us-refused-1', 'ECONNREFUSED'], ['us-nowhere-1', 'ENOTFOUND']]) {
      it(`retry: AWS cannot be reached, ${code}`, async () => {
        const input = event({ recipient: newNumber(), secrets: { ...SECRETS, AWS_REGION: region } });
        const { reason } = await answered('retry', input);
        assert.ok(reason.includes(code), reason);
      });
    }

    for (const [name, answer] of [['the connection drops', fake.drop], ['no answer comes', fake.ignore]]) {
      it(`drop: ${name}, since Auth0 would have the code sent twice`, async () => {
        const recipient = newNumber();
        sns.answer(recipient, answer);
        const start = Date.now();
        const { reason, requests } = await dropped(event({ recipient }), 'quick');
        assert.match(reason, /Not sent again/);
        assert.strictEqual(requests.length, 1, 'the person got the code twice');
        assert.ok(Date.now() - start < 3500, 'Auth0 waits for its limit of 20 s');
      });
    }

    it('does not report a message as sent where the api takes no answer', async () => {
      for (const api of [undefined, {}, { cache: {} }]) {
        const input = event({ recipient: newNumber(), delivery_method: 'voice' });
        await assert.rejects(action().onExecuteCustomPhoneProvider(input, api), /SMS only/);
      }
    });

    it('needs no api to send', async () => {
      const recipient = newNumber();
      await action().onExecuteCustomPhoneProvider(event({ recipient }));
      assert.strictEqual(sns.requests(recipient).length, 1);
    });

    it('leaves the environment as it was', async () => {
      const environment = { ...process.env };
      await run(action(), event({ recipient: newNumber() }));
      assert.deepStrictEqual({ ...process.env }, environment);
    });

    it('writes no log, whether it sends or fails', async () => {
      const [sent, refused] = [newNumber(), newNumber()];
      sns.answer(refused, fake.refuse(403, 'AuthorizationError'));
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        [path.join(__dirname, 'quiet_phone_provider.js'), JSON.stringify(sns.ports), client, sent, refused, '0808 555 6401'],
        { env: { ...process.env, AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' } }
      );
      assert.strictEqual(stdout + stderr, '');
      for (const number of [sent, refused]) assert.strictEqual(sns.requests(number).length, 1);
    });
  });
}

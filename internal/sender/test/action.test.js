'use strict';
// The Action around the body that sender.test.js tests: what it takes from the event, and how it answers.
const assert = require('assert');
const { execFile } = require('child_process');
const path = require('path');
const { after, before, describe, it } = require('node:test');
const { promisify } = require('util');
const fake = require('./fake_sns.js');
const { redirect } = require('./redirect.js');
const { SECRETS, TEXT, checkError, context, load } = require('./hook.js');
const { API, event, run } = require('./action.js');

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

let lastNumber = 15560000000;
const newNumber = () => `+${(lastNumber += 7)}`;

for (const client of process.env.SENDER_TEST_CLIENTS.split(',')) {
  describe(`Action, ${client}`, () => {
    const action = (options = 'default') => load(`action.${client}`, options);

    // It fails as a hook's error does, with nothing personal in it.
    const rejected = async (change, options) => {
      const input = event({ recipient: newNumber(), ...change });
      const error = await run(action(options), input).then(
        () => assert.fail('reported as sent'),
        (thrown) => thrown
      );
      const { recipient = '', text = TEXT } = input.message_options || {};
      checkError(error, recipient, text, context(input.secrets));
      return { error, requests: sns.requests(recipient) };
    };

    it('exports what Auth0 calls, and nothing else', () =>
      assert.deepStrictEqual(Object.keys(action()), ['onExecuteSendPhoneMessage']));

    it('sends the text of the event with the key and the region of its secrets', async () => {
      const recipient = newNumber();
      assert.strictEqual(await run(action(), event({ recipient })), undefined);
      const [{ headers, form }, ...more] = sns.requests(recipient);
      assert.deepStrictEqual(more, []);
      assert.strictEqual(form.get('Message'), TEXT);
      assert.match(headers.authorization, /Credential=AKIATESTKEYTESTKEY01\/\d{8}\/eu-central-1\/sns\//);
      assert.strictEqual(headers['x-amz-security-token'], undefined);
    });

    it('sends what an enrolment and the Classic login give', async () => {
      const recipient = newNumber();
      const input = event({ recipient, action: 'enrollment' });
      delete input.client;
      delete input.request.language;
      await run(action(), input);
      assert.strictEqual(sns.requests(recipient).length, 1);
    });

    it('reads no other part of the event: none is there in every flow', async () => {
      const recipient = newNumber();
      const { message_options, secrets } = event({ recipient });
      await run(action(), { message_options, secrets });
      assert.strictEqual(sns.requests(recipient).length, 1);
    });

    it('throws for a voice call', async () => {
      const { error, requests } = await rejected({ message_type: 'voice' });
      assert.match(error.message, /voice/);
      assert.deepStrictEqual(requests, []);
    });

    for (const name of Object.keys(SECRETS)) {
      it(`throws for a missing secret, by its name: ${name}`, async () => {
        const { error } = await rejected({ secrets: { ...SECRETS, [name]: undefined } });
        assert.match(error.message, new RegExp(`: ${name}\\.$`));
      });
    }

    it('throws for an event of unexpected shape', async () => {
      const { error } = await rejected({ message_options: undefined });
      assert.match(error.message, /unexpected TypeError/);
    });

    it('throws what AWS answered', async () => {
      const recipient = newNumber();
      sns.answer(recipient, fake.refuse(403, 'InvalidClientTokenId'));
      const { error, requests } = await rejected({ recipient });
      assert.match(error.message, /InvalidClientTokenId \(HTTP 403\).*access key/);
      assert.strictEqual(requests.length, 1);
    });

    it('never sends a code twice, and gives up in time', async () => {
      for (const answer of [fake.drop, fake.ignore]) {
        const recipient = newNumber();
        sns.answer(recipient, answer);
        const start = Date.now();
        const { error, requests } = await rejected({ recipient }, 'quick');
        assert.match(error.message, /Not sent again/);
        assert.strictEqual(requests.length, 1, 'the person got the code twice');
        assert.ok(Date.now() - start < 3500, 'Auth0 waits for its limit of 20 s');
      }
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
        [path.join(__dirname, 'quiet_action.js'), JSON.stringify(sns.ports), client, sent, refused, '0808 555 6401'],
        { env: { ...process.env, AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' } }
      );
      assert.strictEqual(stdout + stderr, '');
      for (const number of [sent, refused]) assert.strictEqual(sns.requests(number).length, 1);
    });

    it('asks nothing of the api, of which this trigger has the cache only', () => {
      assert.throws(() => API.notification, /api\.notification/);
      assert.throws(() => API.cache, /api\.cache/);
    });
  });
}

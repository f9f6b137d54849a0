'use strict';
// One's own texts, the same for each trigger: which of them a person gets, or that it is Auth0's.
const assert = require('assert');
const { after, before, describe, it } = require('node:test');
const fake = require('./fake_sns.js');
const { redirect } = require('./redirect.js');
const { CODE, TEXT, call, context, load } = require('./hook.js');
const action = require('./action.js');
const provider = require('./phone_provider.js');

let sns;
before(async () => {
  sns = await fake.start();
  redirect(sns.ports);
});
after(() => sns.stop());

let lastNumber = 15580000000;

// Each sends to a number as its trigger does; what is undefined is not in the input at all.
const without = (object) => JSON.parse(JSON.stringify(object));
const TRIGGERS = {
  async hook(recipient, { flow, client, language, code, text }) {
    const action = { enroll: 'enrollment', verify: 'second-factor-authentication' }[flow] || flow;
    const input = { ...context(), action, client: client && { client_id: client }, language, code };
    const { error } = await call(load('builtin', 'texts'), { recipient, text, context: without(input) });
    assert.strictEqual(error, null);
  },
  async action(recipient, { flow, client, language, code, text }) {
    const kind = { enroll: 'enrollment', verify: 'second-factor-authentication' }[flow] || flow;
    const input = action.event({ recipient, action: kind, code, text });
    input.client = client && { client_id: client };
    input.request = language && { language };
    await action.run(load('action.builtin', 'texts'), without(input));
  },
  async provider(recipient, { flow, client, language, code, text }) {
    const message_type = { enroll: 'otp_enroll', verify: 'otp_verify' }[flow] || flow;
    const input = provider.event({ recipient, message_type, locale: language, code, as_text: text });
    input.client = client && { client_id: client };
    assert.deepStrictEqual(await provider.run(load('provider.builtin', 'texts'), without(input)), []);
  },
};

// The texts are those of writeScripts in node_test.go.
const cases = [
  ['by application', { flow: 'verify', client: 'shop', language: 'fr' }, 'Shop: 739146'],
  ['by application and language', { flow: 'verify', client: 'shop', language: 'de' }, 'Laden: 739146 $& 739146'],
  ['by a language that is a variant', { flow: 'verify', client: 'shop', language: 'de-AT' }, 'Laden: 739146 $& 739146'],
  ['by a language as the unified path writes it', { flow: 'verify', client: 'shop', language: 'de_CH' }, 'Laden: 739146 $& 739146'],
  ['by a language in capitals', { flow: 'enroll', client: 'x', language: 'PT_br' }, 'Cadastro: 739146'],
  ['the first that fits, not the closest', { flow: 'enroll', client: 'shop', language: 'pt-BR' }, 'Cadastro: 739146'],
  ['the next, where the first has no such message', { flow: 'enroll', client: 'shop', language: 'de' }, 'Shop, new phone: 739146'],
  ['where Auth0 has no text of its own', { flow: 'verify', client: 'shop', text: '' }, 'Shop: 739146'],
  ['with the code as it is', { flow: 'verify', client: 'shop', code: '$&-$1' }, 'Shop: $&-$1'],
  ["Auth0's, for another application", { flow: 'verify', client: 'shop2', language: 'de' }, TEXT],
  ["Auth0's, for no application", { flow: 'verify', language: 'de' }, TEXT],
  ["Auth0's, for a wider language", { flow: 'enroll', client: 'x', language: 'pt' }, TEXT],
  ["Auth0's, for a language that begins alike", { flow: 'enroll', client: 'x', language: 'pt-BRX' }, TEXT],
  ["Auth0's, for no language", { flow: 'enroll', client: 'x' }, TEXT],
  ["Auth0's, for the N/A of the Classic Login", { flow: 'enroll', client: 'x', language: 'N/A' }, TEXT],
  ["Auth0's, for a message without a code", { flow: 'verify', client: 'shop', code: undefined }, TEXT],
  ["Auth0's, for a code that is none", { flow: 'verify', client: 'shop', code: '' }, TEXT],
  ["Auth0's, for a flow that is not known", { flow: 'constructor', client: 'shop' }, TEXT],
  ["Auth0's, for what is no flow with a code", { flow: 'password_breach', client: 'shop' }, TEXT],
];

for (const [trigger, send] of Object.entries(TRIGGERS)) {
  describe(`texts, ${trigger}`, () => {
    for (const [name, input, want] of cases) {
      it(name, async () => {
        const recipient = `+${(lastNumber += 7)}`;
        await send(recipient, { code: CODE, text: TEXT, ...input });
        assert.strictEqual(sns.requests(recipient)[0].form.get('Message'), want);
      });
    }
  });
}

'use strict';
// Calls a rendered Action of trigger custom-phone-provider as Auth0 does.
const assert = require('assert');
const { CODE, SECRETS, TEXT } = require('./hook.js');

/** What Auth0 sends on the Unified Phone Experience, by message type; a code is in the first two only. */
exports.MESSAGES = {
  otp_verify: { as_text: TEXT, code: CODE },
  otp_enroll: { as_text: TEXT, code: CODE },
  blocked_account: { as_text: 'Your account was blocked after many attempts.' },
  change_password: { as_text: 'Reset your password: https://example.com/u/reset?ticket=739146' },
  password_breach: { as_text: 'Your password was found in a breach.' },
};

/** An event of trigger custom-phone-provider v1. Whatever is given replaces a field of the notification, or its secrets. */
exports.event = ({ secrets = SECRETS, ...fields } = {}) => ({
  client: { client_id: '1235', name: 'Test Application', metadata: {} },
  notification: 'notification' in fields ? fields.notification : {
    message_type: 'otp_verify',
    delivery_method: 'text',
    as_voice: 'Your code is seven, three, nine',
    locale: 'en_US',
    from: '+15005550006',
    ...exports.MESSAGES[fields.message_type || 'otp_verify'],
    ...fields,
  },
  request: { ip: '127.0.0.1', method: 'POST', geoip: {}, user_agent: 'Mozilla/5.0' },
  secrets,
  tenant: { id: 'staging', friendly_name: 'Staging' },
  transaction: {},
  user: { user_id: 'auth0|test12345', email: 'billie@email.com', app_metadata: {}, user_metadata: {} },
});

/** Resolves to the answers that were given through the api, as [method, reason]. Its cache is a trap. */
exports.run = async function (action, event) {
  const answers = [];
  const answer = (method) => (...args) => {
    assert.strictEqual(args.length, 1);
    answers.push([method, args[0]]);
  };
  const api = {
    notification: { retry: answer('retry'), drop: answer('drop') },
    get cache() {
      throw new Error('codes and keys have no business in a cache');
    },
  };
  const promise = action.onExecuteCustomPhoneProvider(event, api);
  assert.ok(promise instanceof Promise, 'Auth0 would not wait for the message');
  assert.strictEqual(await promise, undefined);
  return answers;
};

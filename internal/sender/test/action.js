'use strict';
// Calls a rendered Action as Auth0 does.
const { CODE, SECRETS, TEXT } = require('./hook.js');

/** An api whose every use is a failure: codes and keys have no business in its cache. */
exports.API = new Proxy({}, {
  get(target, name) {
    throw new Error(`the sender used api.${String(name)}`);
  },
});

/** An event of trigger send-phone-message v2. Whatever is given replaces a field of the message, or its secrets. */
exports.event = ({ secrets = SECRETS, ...options } = {}) => ({
  client: { client_id: '1235', name: 'Test Application', metadata: {} },
  message_options: 'message_options' in options ? options.message_options : {
    action: 'second-factor-authentication',
    code: CODE,
    message_type: 'sms',
    text: TEXT,
    ...options,
  },
  request: { ip: '127.0.0.1', method: 'POST', geoip: {}, language: 'en', user_agent: 'Mozilla/5.0' },
  secrets,
  tenant: { id: 'staging' },
  transaction: {},
  user: { user_id: 'auth0|test12345', email: 'billie@email.com', app_metadata: {}, user_metadata: {} },
});

/** What Auth0 awaits. A synchronous exception would be a rejection there too, but none is expected. */
exports.run = function (action, event) {
  const answer = action.onExecuteSendPhoneMessage(event, exports.API);
  if (!(answer instanceof Promise)) throw new Error('Auth0 would not wait for the message');
  return answer;
};

'use strict';
// Calls a rendered hook as Auth0 does and watches what comes back.
const assert = require('assert');
const path = require('path');
const util = require('util');

exports.SECRETS = {
  AWS_ACCESS_KEY_ID: 'AKIATESTKEYTESTKEY01',
  AWS_SECRET_ACCESS_KEY: 'wJalr/XUtnFEMI+K7MDENGbPxRfiCYTESTSECRET',
  AWS_REGION: 'eu-central-1',
};
exports.CODE = '739146';
exports.TEXT = `Your code is ${exports.CODE}`;

exports.load = (client, options) => require(path.join(process.env.SENDER_TEST_SCRIPTS, `${client}.${options}.js`));

exports.context = (secrets = exports.SECRETS) => ({
  message_type: 'sms',
  action: 'second-factor-authentication',
  language: 'en',
  code: exports.CODE,
  user: { user_id: 'auth0|test12345', email: 'billie@email.com' },
  webtask: { secrets },
});

/** Resolves to { error, response, ms } once the callback was called, and fails if it is called again or leaks. */
exports.call = function (hook, { recipient, text = exports.TEXT, context = exports.context() }) {
  return new Promise((resolve, reject) => {
    const start = Date.now();
    let calls = 0;
    hook(recipient, text, context, (error, response) => {
      calls += 1;
      const ms = Date.now() - start;
      setTimeout(() => {
        try {
          assert.strictEqual(calls, 1, 'Auth0 was answered more than once');
          if (error) checkError(error, recipient, text, context);
          resolve({ error, response, ms });
        } catch (failed) {
          reject(failed);
        }
      }, 30);
    });
  });
};

/** An error ends up in the tenant's log, where support staff and log streams see it. */
exports.checkError = checkError;
function checkError(error, recipient, text, context) {
  assert.ok(error instanceof Error, 'the callback got an error that is no Error');
  assert.strictEqual(typeof error.recoverable, 'boolean', `no verdict whether to try again: ${error.message}`);
  assert.ok(error.message.length < 250, `too long for a log line: ${error.message}`);
  const secrets = (context.webtask && context.webtask.secrets) || {};
  const seen = util.inspect(error, { depth: 9, showHidden: true });
  const personal = [text, exports.CODE, 'billie', secrets.AWS_ACCESS_KEY_ID, secrets.AWS_SECRET_ACCESS_KEY];
  for (const word of personal.filter(Boolean)) {
    assert.ok(!seen.includes(word), `the error gives away ${word}: ${seen}`);
  }
  // Without the stack, whose paths and line numbers are digits too, and without the HTTP status.
  const told = error.message.replace(`(HTTP ${error.status})`, '') + JSON.stringify({ ...error, status: null });
  const digits = String(recipient).replace(/\D/g, '');
  for (let i = 0; i + 3 <= digits.length; i += 1) {
    assert.ok(!told.includes(digits.slice(i, i + 3)), `the error gives away digits of the number: ${told}`);
  }
}

'use strict';
// What the guide's hook does: the whole of aws-sdk v2, credentials from the environment.
const AWS = require('aws-sdk');

module.exports = function (recipient, text, context, cb) {
  Object.assign(process.env, context.webtask.secrets);
  const sns = new AWS.SNS({ apiVersion: '2010-03-31' });
  sns.publish({ Message: text, PhoneNumber: recipient }).promise().then(() => cb(null, {}), cb);
};

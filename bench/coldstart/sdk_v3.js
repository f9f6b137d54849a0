'use strict';
// The same with the version of the SDK that AWS maintains.
const { PublishCommand, SNSClient } = require('@aws-sdk/client-sns');

module.exports = function (recipient, text, context, cb) {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = context.webtask.secrets;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const sns = new SNSClient({ region: AWS_REGION, credentials });
  sns.send(new PublishCommand({ Message: text, PhoneNumber: recipient })).then(() => cb(null, {}), cb);
};

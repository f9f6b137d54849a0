const SNS = require('aws-sdk/clients/sns');

module.exports = function (recipient, text, context, cb) {
  const secrets = context.webtask.secrets;
  const sns = new SNS({
    apiVersion: '2010-03-31',
    region: secrets.AWS_REGION,
    accessKeyId: secrets.AWS_ACCESS_KEY_ID,
    secretAccessKey: secrets.AWS_SECRET_ACCESS_KEY,
    maxRetries: 0, // a code is not sent twice
  });
  sns.publish({ PhoneNumber: recipient, Message: text }, (error) => cb(error, {}));
};

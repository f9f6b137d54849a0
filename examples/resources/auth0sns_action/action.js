const { SNSClient, PublishCommand } = require('@aws-sdk/client-sns');

exports.onExecuteSendPhoneMessage = async (event) => {
  const sns = new SNSClient({
    region: event.secrets.AWS_REGION,
    credentials: {
      accessKeyId: event.secrets.AWS_ACCESS_KEY_ID,
      secretAccessKey: event.secrets.AWS_SECRET_ACCESS_KEY,
    },
    maxAttempts: 1, // a code is not sent twice
    requestHandler: { requestTimeout: 5000 },
  });
  const { recipient, text } = event.message_options;
  await sns.send(new PublishCommand({ PhoneNumber: recipient, Message: text }));
};

// Auth0 Action, trigger custom-phone-provider v1: an answer is given through the api, which takes 1024 characters. After
// retry Auth0 runs this again, up to five times within minutes; so what SNS may have taken is dropped, too, since a code
// is not sent twice.
exports.onExecuteCustomPhoneProvider = async (event, api) => {
  try {
    await send(() => ({
      recipient: event.notification.recipient,
      text: event.notification.as_text,
      voice: event.notification.delivery_method === 'voice',
      code: event.notification.code,
      flow: event.notification.message_type,
      client: event.client,
      language: event.notification.locale,
      secrets: event.secrets,
    }));
  } catch (error) {
    // To return without an answer would report the message as sent.
    if (!api || !api.notification) throw error;
    if (error.recoverable) api.notification.retry(error.message);
    else api.notification.drop(error.message);
  }
};

// Auth0 Action, trigger send-phone-message v2: to throw means that the message was not sent; what is returned is ignored.
exports.onExecuteSendPhoneMessage = async (event) => {
  await send(() => ({
    recipient: event.message_options.recipient,
    text: event.message_options.text,
    voice: event.message_options.message_type === 'voice',
    code: event.message_options.code,
    flow: event.message_options.action,
    client: event.client,
    language: event.request && event.request.language,
    secrets: event.secrets,
  }));
};

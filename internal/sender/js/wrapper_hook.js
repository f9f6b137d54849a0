// Auth0 hook "Send Phone Message": the callback must be called once, with an error or with null and an object.
module.exports = function (recipient, text, context, cb) {
  send(() => ({
    recipient,
    text,
    voice: context.message_type === 'voice',
    code: context.code,
    flow: context.action,
    client: context.client,
    language: context.language,
    secrets: context.webtask.secrets,
  })).then(
    // Outside the promise, where an exception of the callback itself would turn into an unhandled rejection.
    () => setImmediate(cb, null, {}),
    (error) => setImmediate(cb, error)
  );
};

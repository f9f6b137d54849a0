// A person waits at the login while this runs, and Auth0 ends a run after 20 seconds: all attempts together get 8.
const BUDGET_MS = 8000;
// Before a second attempt in the same region, so that it does not meet the very burst that throttled the first.
const PAUSE_MS = 250;
// An attempt that cannot expect an answer could only send a message and then report that it failed.
const SHORTEST_ATTEMPT_MS = 1000;

// Which of the two messages of a text is meant, by the names that Auth0's triggers have for it. Passwordless logins and
// phone numbers as identifiers come as otp_verify, too.
const FLOWS = {
  enrollment: 'enrollment',
  otp_enroll: 'enrollment',
  'second-factor-authentication': 'verification',
  otp_verify: 'verification',
};

const SECRETS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'];

// What an operator can do, by error code. AWS's own message is never passed on: an AuthorizationError quotes the number.
const HINTS = [
  [/^InvalidClientTokenId$/, 'AWS does not know the access key: it was deleted or deactivated, or is not valid yet.'],
  [/^SignatureDoesNotMatch$/, 'The secret key does not belong to the access key, or the clock is wrong.'],
  [/^(Authorization|AccessDenied)/, 'The IAM user may not publish SMS: its policies must allow sns:Publish on "*".'],
  [/^OptedOut/, 'The owner of the number has opted out of SMS from this AWS account.'],
  [/^(InvalidParameter|ParameterValueInvalid|Validation)/, 'AWS refused the phone number, the text or an SMS setting.'],
  [/^Throttl/, 'The AWS account reached its quota of messages per second.'],
  [/Limit|Quota/, 'The AWS account reached a quota; look at its monthly SMS spend limit.'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'The host name of the region was not found; look at AWS_REGION.'],
  [/^ECONNREFUSED$/, 'AWS could not be reached.'],
  [/^TimeoutError$/, 'No answer from AWS. Not sent again, since the message may still arrive.'],
];

/**
 * Sends one SMS. `read` returns { recipient, text, voice, code, flow, client, language, secrets }, of which code, flow,
 * client and language are not there for every message; it is a function so that an input of unexpected shape is reported
 * like any other failure.
 *
 * Every rejection is an Error that holds no personal data and no credential. Its boolean `recoverable` says that SNS
 * did not take the message and that sending it later may work.
 */
async function send(read) {
  try {
    const input = read();
    const { recipient, voice, secrets = {} } = input;
    if (voice) throw failure('Amazon SNS sends SMS only, no voice calls: turn off voice at Auth0.');
    const text = ownText(input) || input.text;
    if (typeof text !== 'string' || text === '') throw failure('The SMS has no text: look at the message template.');
    const message = {
      PhoneNumber: allowedNumber(recipient),
      Message: text,
      MessageAttributes: OPTIONS.messageAttributes,
    };
    const missing = SECRETS.filter((name) => !secrets[name]);
    if (missing.length > 0) throw failure(`Missing secret: ${missing.join(', ')}.`);
    // The region becomes part of a host name that is sent a signed request.
    const region = secrets.AWS_REGION;
    if (!/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region)) throw failure('The secret AWS_REGION is not an AWS region.');
    await publish(message, region, {
      accessKeyId: secrets.AWS_ACCESS_KEY_ID,
      secretAccessKey: secrets.AWS_SECRET_ACCESS_KEY,
    });
  } catch (error) {
    throw typeof error.recoverable === 'boolean' ? error : failure(`The sender stopped at an unexpected ${error.name}.`);
  }
}

// The first text of the options that fits, with the code in it. None without a code: what else Auth0 says to people,
// such as that an account is blocked, stays as it is.
function ownText({ code, flow, client, language }) {
  if (typeof code !== 'string' || code === '') return undefined;
  const kind = FLOWS[flow];
  const fits = (text) => text[kind] && isOf(client, text.clientId) && speaks(language, text.language);
  const own = OPTIONS.texts.find(fits);
  return own && own[kind].replace(/\{\{ *code *\}\}/g, () => code);
}

const isOf = (client, wanted) => !wanted || Boolean(client && client.client_id === wanted);

// "en" takes in "en-US", which some triggers write "en_US"; the Classic Login gives "N/A".
function speaks(language, wanted) {
  const plain = (tag) => `${tag}-`.replace(/_/g, '-').toLowerCase();
  return !wanted || plain(language).startsWith(plain(wanted));
}

// A number without its country is refused, not completed: a wrong guess sends the code to a stranger.
function allowedNumber(recipient) {
  const number = String(recipient).replace(/[\s().-]/g, '');
  if (!/^\+[1-9]\d{1,14}$/.test(number)) {
    throw failure('The phone number is not E.164: it must start with + and the country code.');
  }
  const codes = OPTIONS.allowedCountryCodes;
  if (codes.length > 0 && !codes.some((code) => number.startsWith(code))) {
    throw failure('The country of the phone number is not among the allowed country codes.');
  }
  return number;
}

// The next attempt goes to the next region, or once more to the only one, and only if the message was not taken.
async function publish(message, region, credentials) {
  const deadline = Date.now() + BUDGET_MS;
  const regions = Array.from(new Set([region, ...OPTIONS.fallbackRegions]));
  if (regions.length === 1) regions.push(region);

  for (let i = 0; ; i += 1) {
    try {
      await attempt(message, regions[i], credentials, Math.min(OPTIONS.timeoutMs, deadline - Date.now()));
      return;
    } catch (error) {
      const left = deadline - Date.now() - PAUSE_MS;
      if (!error.recoverable || i + 1 === regions.length || left < SHORTEST_ATTEMPT_MS) throw error;
    }
    if (regions[i + 1] === regions[i]) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

// The time limit covers name look-up, connection and answer alike; idle timeouts would not end a slow trickle.
async function attempt(message, region, credentials, timeoutMs) {
  const call = transmit(message, region, credentials, timeoutMs);
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      reject(refusal('TimeoutError'));
      call.stop();
    }, timeoutMs);
  });
  try {
    await Promise.race([call.sent, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Only an answer that says so, or a connection never made, proves that SNS did not take the message. A dropped
// connection, a timeout and an internal error do not: sending again could bring the person the code twice.
function notTaken(code, status) {
  if (status) return status === 503 || /^Throttl(ed|ing)/.test(code);
  return ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED'].includes(code);
}

// The error for an attempt that failed, from the code and the HTTP status that AWS gave, or from Node's error code.
function refusal(code, status) {
  const name = typeof code === 'string' && /^[A-Za-z_.]{1,64}$/.test(code) ? code : 'UnknownError';
  const answer = status ? `${name} (HTTP ${status})` : name;
  const error = failure(`Amazon SNS: ${answer}. ${hint(name, status)}`, notTaken(name, status));
  return Object.assign(error, { code: name, status });
}

function hint(name, status) {
  const known = HINTS.find(([pattern]) => pattern.test(name));
  if (known) return known[1];
  if (status === 503) return 'AWS is overloaded in this region.';
  if (status >= 400 && status < 500) return 'AWS refused the request.';
  return 'Not sent again, since AWS may have taken the message.';
}

function failure(message, recoverable = false) {
  return Object.assign(new Error(message), { recoverable });
}

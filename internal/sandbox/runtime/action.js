'use strict';

// Runs one Action. The job holds the name of the function it exports, handler, and that function's first argument,
// event. It has done its work when the promise resolves, whatever else is still going on.

const { job, load, describe, report } = require('./run.js');

const defaultLifetime = 15 * 60 * 1000;
const maxLifetime = 24 * 60 * 60 * 1000;

process.on('beforeExit', () => report({
  error: { name: 'NeverSettled', message: 'the Action has nothing left to do and its promise never settles: Auth0 would wait for it until the time-out' },
}));

const handler = load('action.js')[job.handler];
if (typeof handler !== 'function') {
  throw new TypeError(`the Action must export a function ${job.handler} (event, api)`);
}

// What the Action says became of the message, when its trigger lets it say so. The last call wins.
let verdict;

const api = { cache: newCache() };
if (job.handler === 'onExecuteCustomPhoneProvider') {
  const say = (outcome) => (reason) => { verdict = { outcome, reason: String(reason ?? '') }; };
  api.notification = { retry: say('retry'), drop: say('drop') };
}

Promise.resolve(handler(job.event, api)).then(
  () => report({ verdict }),
  (error) => {
    console.error(error);
    report({ error: describe(error) });
  },
);

// newCache is api.cache, all that api has for other triggers. It is empty at the start of each run, which code has to
// expect of the real one too.
function newCache() {
  const records = new Map();
  return {
    get(key) {
      const record = records.get(key);
      return record && record.expires_at > Date.now() ? { ...record } : undefined;
    },
    set(key, value, { ttl = defaultLifetime, expires_at = Date.now() + ttl } = {}) {
      const record = { value, expires_at: Math.min(expires_at, Date.now() + maxLifetime) };
      records.set(key, record);
      return { type: 'success', record: { ...record } };
    },
    delete(key) {
      records.delete(key);
      return { type: 'success' };
    },
  };
}

'use strict';

// Runs one Send Phone Message hook. The job holds its arguments: recipient, text, context.

const { job, load, describe, report } = require('./run.js');

// Time for a second callback to show up after the first, when something else still keeps the process alive.
const graceMilliseconds = 100;

let outcome;

process.on('beforeExit', () => report(outcome ?? {
  error: { name: 'NoCallback', message: 'the hook has nothing left to do and never called its callback: Auth0 would wait for it until the time-out' },
}));

const hook = load('hook.js');
if (typeof hook !== 'function') {
  throw new TypeError('the hook must set module.exports to a function (recipient, text, context, callback)');
}
hook(job.recipient, job.text, job.context, callback);

function callback(error, response) {
  if (outcome !== undefined) {
    report({ error: { name: 'DoubleCallback', message: 'the hook called its callback more than once' } });
  }
  outcome = error ? { error: describe(error) } : { response };
  setTimeout(report, graceMilliseconds, outcome).unref();
}

'use strict';

// Runs one Send Phone Message hook. Standard input is a JSON object {gateway, modules, dependencies, script,
// recipient, text, context}; file descriptor 3 gets {error} or {response}; what the hook prints goes where it always
// goes.

const fs = require('node:fs');
const { createRequire, isBuiltin } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

// Time for a second callback to show up after the first, when something else still keeps the process alive.
const graceMilliseconds = 100;

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
require('./network.js')(job.gateway);

let outcome;

process.on('uncaughtException', (error) => {
  console.error(error);
  report({ error: describe(error) });
});
process.on('beforeExit', () => report(outcome ?? {
  error: { name: 'NoCallback', message: 'the hook has nothing left to do and never called its callback: Auth0 would wait for it until the time-out' },
}));

load(job.script)(job.recipient, job.text, job.context, callback);

function callback(error, response) {
  if (outcome !== undefined) {
    report({ error: { name: 'DoubleCallback', message: 'the hook called its callback more than once' } });
  }
  outcome = error ? { error: describe(error) } : { response };
  setTimeout(report, graceMilliseconds, outcome).unref();
}

function load(script) {
  const module = { exports: {} };
  const compiled = vm.compileFunction(script, ['exports', 'require', 'module'], { filename: 'hook.js' });
  compiled.call(module.exports, module.exports, requireDeclared, module);
  if (typeof module.exports !== 'function') {
    throw new TypeError('the hook must set module.exports to a function (recipient, text, context, callback)');
  }
  return module.exports;
}

function requireDeclared(id) {
  if (isBuiltin(id)) return require(id);
  const [scopeOrName, name] = id.split('/');
  const dependency = id.startsWith('@') ? `${scopeOrName}/${name}` : scopeOrName;
  if (!Object.hasOwn(job.dependencies, dependency)) {
    const error = new Error(`Cannot find module '${id}': it is not part of Node and not among the hook's dependencies`);
    throw Object.assign(error, { code: 'MODULE_NOT_FOUND' });
  }
  return createRequire(path.join(job.modules, 'hook.js'))(id);
}

function describe(error) {
  const { name = 'Error', message = String(error), code = '', cause } = Object(error);
  // fetch puts what went wrong into the cause and says only "fetch failed" itself.
  const text = cause?.message === undefined ? String(message) : `${message}: ${cause.message}`;
  return { name: String(name), message: text, code: String(code) };
}

function report(result) {
  let encoded;
  try {
    encoded = JSON.stringify(result);
  } catch (error) {
    encoded = JSON.stringify({ error: describe(error) });
  }
  fs.writeFileSync(3, encoded);
  process.exit();
}

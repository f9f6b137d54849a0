'use strict';

// What hooks and Actions have in common. Standard input is a JSON object {gateway, modules, dependencies, script} and
// what the kind of code needs; file descriptor 3 gets {error}, {response} or {verdict}; what the code prints goes where it always
// goes.

const fs = require('node:fs');
const { createRequire, isBuiltin } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
require('./network.js')(job.gateway);

process.on('uncaughtException', (error) => {
  console.error(error);
  report({ error: describe(error) });
});

// load runs the deployed script and returns what it exports.
function load(filename) {
  const module = { exports: {} };
  const compiled = vm.compileFunction(job.script, ['exports', 'require', 'module'], { filename });
  compiled.call(module.exports, module.exports, requireDeclared, module);
  return module.exports;
}

function requireDeclared(id) {
  if (isBuiltin(id)) return require(id);
  const [scopeOrName, name] = id.split('/');
  const dependency = id.startsWith('@') ? `${scopeOrName}/${name}` : scopeOrName;
  if (!Object.hasOwn(job.dependencies, dependency)) {
    const error = new Error(`Cannot find module '${id}': it is not part of Node and not among the ${job.kind}'s dependencies`);
    throw Object.assign(error, { code: 'MODULE_NOT_FOUND' });
  }
  return createRequire(path.join(job.modules, 'deployed.js'))(id);
}

function describe(error) {
  const { name = 'Error', message = String(error), code = '', cause } = Object(error);
  // fetch puts what went wrong into the cause and says only "fetch failed" itself.
  const text = cause?.message === undefined ? String(message) : `${message}: ${cause.message}`;
  return { name: String(name), message: text, code: String(code) };
}

// report ends the process with its result.
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

module.exports = { job, load, describe, report };

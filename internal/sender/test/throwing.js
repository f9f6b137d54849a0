'use strict';
// A process of its own for sender.test.js: a callback that throws, as code of the platform may.
const { redirect } = require('./redirect.js');
const { TEXT, context, load } = require('./hook.js');

const [ports, client, recipient] = process.argv.slice(2);
redirect(JSON.parse(ports));
let calls = 0;
process.on('uncaughtException', (error) => console.log(error.message));
process.on('unhandledRejection', () => console.log('swallowed by a promise'));
process.on('exit', () => console.log(`${calls} call`));
load(client, 'default')(recipient, TEXT, context(), () => {
  calls += 1;
  throw new Error('of the platform');
});

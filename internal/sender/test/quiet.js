'use strict';
// A process of its own for sender.test.js, which reads all that it writes. Arguments: ports, client, phone numbers.
const { redirect } = require('./redirect.js');
const { call, load } = require('./hook.js');

const [ports, client, ...recipients] = process.argv.slice(2);
redirect(JSON.parse(ports));
const hook = load(client, 'quick');
(async () => {
  for (const recipient of recipients) await call(hook, { recipient });
})();

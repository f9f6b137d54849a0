'use strict';
// A process of its own for phone_provider.test.js, which reads all that it writes. Arguments: ports, client, phone numbers.
const { redirect } = require('./redirect.js');
const { load } = require('./hook.js');
const { event, run } = require('./phone_provider.js');

const [ports, client, ...recipients] = process.argv.slice(2);
redirect(JSON.parse(ports));
const action = load(`provider.${client}`, 'quick');
(async () => {
  for (const recipient of recipients) await run(action, event({ recipient }));
})();

'use strict';
// A fresh process that loads one sender and sends one message with it. Arguments: script, port of the SNS to call.
// Prints how long that took, and how much memory it has then.
const { redirect } = require('../../internal/sender/test/redirect.js');

const [script, port] = process.argv.slice(2);
redirect({ '*': Number(port) });
const secrets = {
  AWS_ACCESS_KEY_ID: 'AKIABENCHBENCHBENCH0',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_REGION: 'eu-central-1',
};
const begin = performance.now();
require(script)('+15555550123', 'Your code is 000000', { message_type: 'sms', webtask: { secrets } }, (error) => {
  const milliseconds = performance.now() - begin;
  if (error) throw error;
  process.stdout.write(JSON.stringify({ milliseconds, resident: process.memoryUsage().rss }));
  process.exit(0); // A client may keep its connection open.
});

// npm run audit -- URL: all server audits of GraphQL over HTTP against a running endpoint; fails unless every one passes.

import { serverAudits } from 'graphql-http';

/** How many the pinned version brings; fewer would mean that some were lost on the way. */
const EXPECTED = 61;
const TIMEOUT_MS = 10_000;

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: npm run audit -- URL');
  process.exit(2);
}

const fetchFn = (input, options) => fetch(input, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
const audits = serverAudits({ url, fetchFn });

let passed = 0;
for (const audit of audits) {
  const result = await audit.fn().catch((error) => ({ status: 'error', reason: error.cause?.message ?? error.message }));
  if (result.status === 'ok') passed += 1;
  else console.log(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`);
}
console.log(`${passed} of ${audits.length} audits passed`);
process.exitCode = passed === audits.length && audits.length === EXPECTED ? 0 : 1;

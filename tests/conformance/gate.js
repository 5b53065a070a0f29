// npm run gate -- SCHEMA [RELEASED_SCHEMA]: every check of the contract; prints each finding and fails on any.

import { join, resolve } from 'node:path';
import { codegenTypes } from './checks/codegen.js';
import { breakingChanges } from './checks/compatibility.js';
import { readOperations, readSchema } from './checks/contract.js';
import { coverage } from './checks/coverage.js';
import { eslint } from './checks/eslint.js';
import { relay } from './checks/relay.js';
import { schemaLinter } from './checks/schema_linter.js';

const [path, releasedPath] = process.argv.slice(2);
if (!path) {
  console.error('usage: npm run gate -- SCHEMA [RELEASED_SCHEMA]');
  process.exit(2);
}

const operations = readOperations(join(import.meta.dirname, 'operations'));
// npm runs scripts in this folder; paths are meant from where the caller stands.
const from = process.env.INIT_CWD ?? '.';
const sdl = readSchema(resolve(from, path));

const checks = {
  'graphql-eslint': () => eslint(sdl),
  'graphql-schema-linter': () => schemaLinter(sdl),
  'relay-compiler': () => relay(sdl, operations),
  'graphql-codegen': () => codegenTypes(sdl, operations),
  'operation coverage': () => coverage(sdl, operations),
};
if (releasedPath) checks['graphql-inspector'] = () => breakingChanges(readSchema(resolve(from, releasedPath)), sdl);

let total = 0;
for (const [name, check] of Object.entries(checks)) {
  const findings = await check().catch((error) => [`the check itself failed: ${error.message}`]);
  console.log(`${findings.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${findings.length} findings`);
  for (const finding of findings) console.log(`     ${finding.replaceAll('\n', '\n     ')}`);
  total += findings.length;
}
console.log(`${total} findings in ${path}`);
process.exitCode = total === 0 ? 0 : 1;

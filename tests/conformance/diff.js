// npm run diff -- OLD NEW: every change between two schemas; fails when one breaks a client.

import { resolve } from 'node:path';
import { changes } from './checks/compatibility.js';
import { readSchema } from './checks/contract.js';

const [oldPath, newPath] = process.argv.slice(2);
if (!newPath) {
  console.error('usage: npm run diff -- OLD NEW');
  process.exit(2);
}

// npm runs scripts in this folder; paths are meant from where the caller stands.
const from = process.env.INIT_CWD ?? '.';
const found = await changes(readSchema(resolve(from, oldPath)), readSchema(resolve(from, newPath)));
for (const { level, message } of found) console.log(`${level}: ${message}`);
const breaking = found.filter(({ level }) => level === 'BREAKING').length;
console.log(`${found.length} changes, ${breaking} of them breaking`);
process.exitCode = breaking === 0 ? 0 : 1;

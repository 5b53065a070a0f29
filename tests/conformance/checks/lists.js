// Lists of the sample operations as the builds of clients write them: graphql-codegen's and Apollo's.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatePersistedQueryManifest } from '@apollo/generate-persisted-query-manifest';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { buildASTSchema, parse, print, visit } from 'graphql';
import { scalarTypes } from './contract.js';

/** What only relay-compiler understands, and takes out of what it sends. */
const relayOnly = new Set(['alias', 'arguments', 'argumentDefinitions', 'connection', 'refetchable', 'throwOnFieldError',
  'appendEdge', 'appendNode', 'deleteEdge', 'deleteRecord', 'prependEdge', 'prependNode', 'relay']);

/** The operations as clients other than Relay would write them: without its directives and what only those use. */
export function plain(operations) {
  const documents = operations.map(({ name, text }) => ({
    name,
    document: visit(parse(text), { Directive: ({ name: { value } }) => (relayOnly.has(value) ? null : undefined) }),
  }));
  return documents.map(({ name, document }) => ({ name, document: visit(document, { OperationDefinition: withoutUnused(documents) }) }));
}

/** Takes away variables, such as the list of connections to update, that nothing sent to the server names. */
function withoutUnused(documents) {
  const fragments = new Map();
  for (const { document } of documents) {
    for (const definition of document.definitions) {
      if (definition.kind === 'FragmentDefinition') fragments.set(definition.name.value, definition);
    }
  }
  return (operation) => {
    const used = new Set();
    const seen = new Set();
    const look = (node) => visit(node, {
      VariableDefinition: () => false,
      Variable: ({ name }) => void used.add(name.value),
      FragmentSpread: ({ name }) => {
        if (seen.has(name.value)) return;
        seen.add(name.value);
        look(fragments.get(name.value));
      },
    });
    look(operation);
    const variableDefinitions = operation.variableDefinitions.filter(({ variable }) => used.has(variable.name.value));
    return { ...operation, variableDefinitions };
  };
}

/** Texts by `sha256:` and their hash. */
export async function codegenList(sdl, operations) {
  const ast = parse(sdl);
  const documents = plain(operations).map(({ name, document }) => ({
    location: `${name}.graphql`, document, rawSDL: print(document),
  }));
  const files = await preset.buildGeneratesSection({
    baseOutputDir: 'generated/',
    schema: ast,
    schemaAst: buildASTSchema(ast),
    documents,
    config: { scalars: scalarTypes },
    presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' }, fragmentMasking: false },
    plugins: [],
    pluginMap: {},
    documentTransforms: [],
  });
  const written = await Promise.all(files.map(async (file) => [file.filename, await codegen(file)]));
  return JSON.parse(Object.fromEntries(written)['generated/persisted-documents.json']);
}

/** What Apollo's tool writes, with ids of its own. */
export async function apolloList(operations) {
  const project = mkdtempSync(join(tmpdir(), 'moim-apollo-'));
  try {
    // The tool wants one operation in a file.
    for (const definition of plain(operations).flatMap(({ document }) => document.definitions)) {
      writeFileSync(join(project, `${definition.name.value}.graphql`), print(definition));
    }
    return await generatePersistedQueryManifest({ documents: [join(project, '*.graphql')] }, undefined);
  } finally {
    rmSync(project, { recursive: true });
  }
}

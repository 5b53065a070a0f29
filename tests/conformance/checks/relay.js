// relay-compiler: compiles the sample operations as a Relay client would, paging and refetching included.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { parse } from 'graphql';
import { scalarTypes } from './contract.js';

const program = createRequire(import.meta.url).resolve('relay-compiler/cli.js');

const config = {
  src: 'src',
  schema: 'schema.graphql',
  language: 'typescript',
  artifactDirectory: 'artifacts',
  eagerEsModules: true,
  noSourceControl: true,
  customScalarTypes: scalarTypes,
  requireCustomScalarTypes: true,
};

export async function relay(sdl, operations) {
  return compiled(sdl, operations, {}, ({ status, told, project }) => {
    if (status !== 0) return [told || `the compiler ended with ${status}`];
    return uncompiled(operations, join(project, 'artifacts'));
  });
}

/** The list of documents that a Relay client's build writes: texts by their SHA-256. */
export async function relayList(sdl, operations) {
  const persistConfig = { file: './documents.json', algorithm: 'SHA256' };
  // The compiler only adds to a list.
  const files = { 'documents.json': '{}' };
  return compiled(sdl, operations, { persistConfig }, ({ status, told, project }) => {
    if (status !== 0) throw new Error(told);
    return JSON.parse(readFileSync(join(project, 'documents.json'), 'utf8'));
  }, files);
}

/** Runs the compiler in a project of its own; `look` sees how it ended while the project is still there. */
function compiled(sdl, operations, more, look, files = {}) {
  const project = mkdtempSync(join(tmpdir(), 'moim-relay-'));
  try {
    mkdirSync(join(project, 'src'));
    mkdirSync(join(project, 'artifacts'));
    writeFileSync(join(project, 'schema.graphql'), sdl);
    writeFileSync(join(project, 'relay.config.json'), JSON.stringify({ ...config, ...more }));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
    for (const { name, text } of operations) writeFileSync(join(project, 'src', `${name}.ts`), asModule(text));
    const run = spawnSync(process.execPath, [program, 'relay.config.json'], { cwd: project, encoding: 'utf8' });
    const told = stripVTControlCharacters(`${run.stdout}${run.stderr}`).trim();
    return look({ status: run.status, told, project });
  } finally {
    rmSync(project, { recursive: true });
  }
}

/** The compiler reads documents from source files only, so each document becomes one tagged template. */
function asModule(text) {
  const templates = parse(text).definitions.map(
    ({ loc }) => `graphql\`\n${text.slice(loc.start, loc.end)}\n\`;`,
  );
  return `import { graphql } from 'relay-runtime';\n${templates.join('\n')}\n`;
}

/** A compiler that finds no document also succeeds; only its artifacts prove that it compiled one. */
function uncompiled(operations, artifacts) {
  return operations
    .flatMap(({ text }) => parse(text).definitions)
    .filter(({ name }) => !existsSync(join(artifacts, `${name.value}.graphql.ts`)))
    .map(({ name }) => `${name.value} was not compiled`);
}

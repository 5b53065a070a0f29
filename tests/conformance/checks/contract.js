// Reads what every check looks at: the exported schema and the sample operations.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, specifiedDirectives } from 'graphql';

/** What a TypeScript client holds for each scalar of ours; a new scalar must be added here. */
export const scalarTypes = { DateTime: 'string', URL: 'string' };

const builtIn = new Set(specifiedDirectives.map((directive) => directive.name));

/** The schema's text with the definitions of built-in directives blanked, so that line numbers stay those of the file. */
export function readSchema(path) {
  return withoutBuiltInDirectives(readFileSync(path, 'utf8'));
}

/** Every sample operation file as { name, text }; the name is that of the client module it stands for. */
export function readOperations(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .sort()
    .map((file) => ({ name: file.slice(0, -'.graphql'.length), text: readFileSync(join(folder, file), 'utf8') }));
}

/** An exporter may spell out @deprecated, @oneOf and their like; to the linters those would be ours to describe and use. */
export function withoutBuiltInDirectives(sdl) {
  let text = sdl;
  for (const definition of parse(sdl).definitions) {
    if (definition.kind !== 'DirectiveDefinition' || !builtIn.has(definition.name.value)) continue;
    const { start, end } = definition.loc;
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, ' ') + text.slice(end);
  }
  return text;
}

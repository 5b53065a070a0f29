// Every mutation and every field that returns a connection is selected by some sample operation.

import { TypeInfo, buildSchema, getNamedType, isObjectType, parse, visit, visitWithTypeInfo } from 'graphql';

export async function coverage(sdl, operations) {
  const schema = buildSchema(sdl);
  const wanted = fieldsToCover(schema);
  if (wanted.length === 0) return ['the schema has neither mutations nor connections'];
  const selected = selectedFields(schema, operations);
  return wanted.filter((field) => !selected.has(field)).map((field) => `${field} is in no sample operation`);
}

function fieldsToCover(schema) {
  const mutation = schema.getMutationType();
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => type === mutation || getNamedType(field.type).name.endsWith('Connection'))
        .map((field) => `${type.name}.${field.name}`),
    );
}

/** A fragment counts only when an operation reaches it: nobody else would ever send it. */
function selectedFields(schema, operations) {
  const definitions = operations.flatMap(({ text }) => parse(text).definitions);
  const fragments = new Map(
    definitions.filter(({ kind }) => kind === 'FragmentDefinition').map((fragment) => [fragment.name.value, fragment]),
  );
  const queue = definitions.filter(({ kind }) => kind === 'OperationDefinition');
  const selected = new Set();
  const reached = new Set();
  for (let definition = queue.pop(); definition; definition = queue.pop()) {
    const info = new TypeInfo(schema);
    visit(
      definition,
      visitWithTypeInfo(info, {
        Field: ({ name }) => void selected.add(`${info.getParentType()?.name}.${name.value}`),
        FragmentSpread({ name }) {
          if (reached.has(name.value) || !fragments.has(name.value)) return;
          reached.add(name.value);
          queue.push(fragments.get(name.value));
        },
      }),
    );
  }
  return selected;
}

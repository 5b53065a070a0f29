// graphql-inspector: what changed from one schema to the next, and what of it breaks a client.

import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

/** Every change as { level, message }, the breaking ones first; level is BREAKING, DANGEROUS or NON_BREAKING. */
export async function changes(before, after) {
  const order = [CriticalityLevel.Breaking, CriticalityLevel.Dangerous, CriticalityLevel.NonBreaking];
  return (await diff(buildSchema(before), buildSchema(after)))
    .map(({ criticality, message }) => ({ level: criticality.level, message }))
    .sort((one, other) => order.indexOf(one.level) - order.indexOf(other.level));
}

export async function breakingChanges(before, after) {
  return (await changes(before, after))
    .filter(({ level }) => level === CriticalityLevel.Breaking)
    .map(({ message }) => message);
}

// Documents known beforehand, with the tools and clients that make and send them, against the running program.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { openHouse } from '../clients/house.js';
import { readOperations, readSchema } from './checks/contract.js';
import { apolloList, codegenList } from './checks/lists.js';
import { relayList } from './checks/relay.js';

const operations = readOperations(join(import.meta.dirname, 'operations'));
const sdl = readSchema(join(import.meta.dirname, '../../schema.graphql'));
const directory = await mkdtemp(join(tmpdir(), 'moim-documents-'));
after(() => rm(directory, { recursive: true }));

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** A house that answers what this list holds and nothing else. */
async function houseOf(name, list) {
  const file = join(directory, `${name}.json`);
  await writeFile(file, JSON.stringify(list));
  return openHouse({ MOIM_BFF__DOCUMENTS: 'require', MOIM_BFF__DOCUMENTS_FILES: JSON.stringify([file]) });
}

async function ask(house, body, headers = {}) {
  const response = await fetch(house.graphql, {
    method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body),
  });
  return response.json();
}

const code = ({ errors }) => errors?.[0].extensions.code;
const named = (texts, name) => Object.entries(texts).find(([, text]) => text.includes(`${name}(`) || text.includes(`${name} {`))[0];

/** Every document of a list is answered by its id, and nothing else is answered at all. */
async function goesBy(house, texts, asking) {
  const ids = Object.keys(texts);
  assert.ok(ids.length > 30, `${ids.length} documents`);
  for (const id of ids) {
    const answer = await ask(house, asking(id, {}));
    // Without variables most are refused, but only once their document is known.
    assert.ok(['VALIDATION_FAILED', 'UNAUTHENTICATED', undefined].includes(code(answer)), `${id}: ${JSON.stringify(answer)}`);
    if (code(answer) === 'VALIDATION_FAILED') {
      assert.match(answer.errors[0].message, /^Variable|Subscriptions are answered/, texts[id]);
    }
    assert.equal(code(await ask(house, { query: texts[id] })), 'DOCUMENT_NOT_TRUSTED');
  }
  for (const query of ['{ __typename }', '{ __schema { queryType { name } } }', 'query IntrospectionQuery { __schema { types { name } } }']) {
    assert.equal(code(await ask(house, { query })), 'DOCUMENT_NOT_TRUSTED');
    assert.equal(code(await ask(house, asking(sha256(query), {}))), 'DOCUMENT_NOT_TRUSTED');
    const url = `${house.graphql}?query=${encodeURIComponent(query)}`;
    assert.equal(code(await (await fetch(url)).json()), 'DOCUMENT_NOT_TRUSTED');
  }
  await livesAsListed(house, texts, asking);
}

/** Somebody signs up and reads by ids alone. */
async function livesAsListed(house, texts, asking) {
  const input = { nickname: 'listed', email: 'listed@moim.example', password: 'correct horse battery' };
  const signedUp = await ask(house, asking(named(texts, 'AuthSignUpMutation'), { input, key: crypto.randomUUID() }));
  assert.equal(signedUp.errors, undefined, JSON.stringify(signedUp));
  const { accessToken } = signedUp.data.authSignUp.tokens;
  const regions = await ask(house, asking(named(texts, 'GatheringsRegionsQuery'), {}), { authorization: `Bearer ${accessToken}` });
  assert.ok(regions.data.regions.length > 0, JSON.stringify(regions));
}

test('a list of relay-compiler is gone by, with ids as Relay sends them', async () => {
  const list = await relayList(sdl, operations);
  const house = await houseOf('relay', list);
  try {
    await goesBy(house, list, (id, variables) => ({ doc_id: id, variables }));
    await goesByAnotherName(house, list);
  } finally {
    await house.close();
  }
});

async function goesByAnotherName(house, list) {
  const id = named(list, 'GatheringsRegionsQuery');
  for (const body of [{ id }, { documentId: id }, { documentId: `sha256:${id}` }]) {
    assert.ok((await ask(house, body)).data.regions.length > 0, JSON.stringify(body));
  }
}

test('a list of graphql-codegen is gone by, with ids as GraphQL over HTTP sends them', async () => {
  const list = await codegenList(sdl, operations);
  assert.ok(Object.keys(list).every((id) => id.startsWith('sha256:')), Object.keys(list)[0]);
  const house = await houseOf('codegen', list);
  try {
    await goesBy(house, list, (documentId, variables) => ({ documentId, variables }));
  } finally {
    await house.close();
  }
});

test('a list of Apollo is gone by, with ids as its client sends them', async () => {
  const list = await apolloList(operations);
  const texts = Object.fromEntries(list.operations.map(({ id, body }) => [id, body]));
  const house = await houseOf('apollo', list);
  try {
    await goesBy(house, texts, (sha256Hash, variables) => ({ variables, extensions: { persistedQuery: { version: 1, sha256Hash } } }));
  } finally {
    await house.close();
  }
});

test('a list that does not fit the schema keeps the program from starting', async () => {
  const text = '{ regions { nothing } }';
  await assert.rejects(houseOf('wrong', { [sha256(text)]: text }), /moim: .*wrong\.json is wrong: .* cannot be answered: .*"nothing"/);
});

/** Apollo's client over a link that notes what it fetches. */
function apolloClient(house, options) {
  const fetched = [];
  const noted = (url, request) => {
    fetched.push({ method: request.method, whole: (request.body ?? String(url)).includes('regions') });
    return fetch(url, request);
  };
  const link = ApolloLink.from([new PersistedQueryLink({ sha256, ...options }), new HttpLink({ uri: house.graphql, fetch: noted })]);
  return { fetched, client: new ApolloClient({ link, cache: new InMemoryCache() }) };
}

const REGIONS = gql`query Regions { regions { id name } }`;

test('the persisted queries of Apollo\'s client send a document once', async () => {
  const house = await openHouse();
  try {
    for (const [useGETForHashedQueries, first] of [[false, true], [true, false]]) {
      const { client, fetched } = apolloClient(house, { useGETForHashedQueries });
      for (let n = 0; n < 2; n += 1) {
        const { data } = await client.query({ query: REGIONS, fetchPolicy: 'no-cache' });
        assert.ok(data.regions.length > 0);
      }
      const method = useGETForHashedQueries ? 'GET' : 'POST';
      const short = { method, whole: false };
      const expected = first ? [short, { method: 'POST', whole: true }, short] : [short, short];
      assert.deepEqual(fetched, expected);
    }
  } finally {
    await house.close();
  }
});

test('where nothing is remembered Apollo\'s client goes on with whole documents', async () => {
  const house = await openHouse({ MOIM_BFF__PERSISTED_QUERIES_BYTES: '0' });
  try {
    const { client, fetched } = apolloClient(house, {});
    for (let n = 0; n < 2; n += 1) {
      const { data } = await client.query({ query: REGIONS, fetchPolicy: 'no-cache' });
      assert.ok(data.regions.length > 0);
    }
    assert.deepEqual(fetched.map(({ whole }) => whole), [false, true, true]);
  } finally {
    await house.close();
  }
});

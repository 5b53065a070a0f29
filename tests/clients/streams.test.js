// The npm client graphql-sse, distinct connections: for those without WebSocket.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createClient } from 'graphql-sse';

import { LISTEN, createGathering, openHouse, say, signUp } from './house.js';

let house;
let token;

before(async () => {
  house = await openHouse();
  token = await signUp(house, 'reader');
});

after(() => house?.close());

const client = (bearer) => createClient({
  url: house.graphql,
  headers: { authorization: `Bearer ${bearer}` },
  retryAttempts: 0,
});

test('a query is answered once and completed', async () => {
  const answers = [];
  for await (const answer of client(token).iterate({ query: '{ viewer { id } }' })) answers.push(answer);
  assert.equal(answers.length, 1);
  assert.ok(answers[0].data.viewer.id);
});

test('a token that is not good is refused', async () => {
  const failing = client('nonsense').iterate({ query: '{ viewer { id } }' }).next();
  await assert.rejects(failing, (error) => error.response.status === 401);
});

test('messages come until the client leaves', async () => {
  const gatheringId = await createGathering(house, token);
  const from = await say(house, token, gatheringId, 'zero');
  const heard = client(token).iterate({ query: LISTEN, variables: { gatheringId, after: from } });
  await say(house, token, gatheringId, 'one');
  assert.equal((await heard.next()).value.data.chatMessageAdded.node.body, 'one');
  await heard.return();
});

// The npm client graphql-ws: connect, subscribe, complete, ping, resume by cursor, refused and ended tokens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { LISTEN, createGathering, openHouse, say, signUp, until } from './house.js';

let house;
let token;
let gatheringId;

before(async () => {
  house = await openHouse();
  token = await signUp(house, 'speaker');
  gatheringId = await createGathering(house, token);
});

after(() => house?.close());

/** A client, and every socket that it opened. */
function client(options = {}) {
  const sockets = [];
  class Noted extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  }
  const made = createClient({
    url: house.socket,
    webSocketImpl: Noted,
    connectionParams: { authorization: `Bearer ${token}` },
    retryWait: async () => {},
    ...options,
  });
  return { client: made, sockets };
}

/** The code that a client's socket is closed with, for good. */
function closed(options) {
  return new Promise((resolve) => {
    const it = client({ lazy: false, retryAttempts: 0, onNonLazyError: () => {}, ...options });
    it.client.on('closed', (event) => resolve(event.code));
  });
}

test('a query is answered once and completed', async () => {
  const { client: it } = client();
  const answers = [];
  for await (const answer of it.iterate({ query: '{ viewer { id } }' })) answers.push(answer);
  assert.equal(answers.length, 1);
  assert.ok(answers[0].data.viewer.id);
  await it.dispose();
});

test('a ping is answered', async () => {
  const { client: it } = client({ lazy: false, keepAlive: 20 });
  await new Promise((resolve) => it.on('pong', resolve));
  await it.dispose();
});

test('a token that is not good is refused with 4403', async () => {
  assert.equal(await closed({ connectionParams: { authorization: 'Bearer nonsense' } }), 4403);
});

test('messages come until the client completes', async () => {
  const { client: it } = client();
  const heard = it.iterate({ query: LISTEN, variables: { gatheringId, after: await say(house, token, gatheringId, 'zero') } });
  await say(house, token, gatheringId, 'one');
  assert.equal((await heard.next()).value.data.chatMessageAdded.node.body, 'one');
  await heard.return();
  assert.equal((await heard.next()).done, true);
  await it.dispose();
});

test('a client whose socket is cut resumes by cursor, with no gap and no repeat', async () => {
  let cursor = await say(house, token, gatheringId, 'before');
  const bodies = [];
  // Asked for anew on each subscribe, so that a retry goes on behind what was heard last.
  const variables = { gatheringId, get after() { return cursor; } };
  const { client: it, sockets } = client({ shouldRetry: () => true, retryAttempts: 20 });
  const stop = it.subscribe({ query: LISTEN, variables }, {
    next: ({ data }) => {
      cursor = data.chatMessageAdded.cursor;
      bodies.push(data.chatMessageAdded.node.body);
    },
    error: (error) => assert.fail(JSON.stringify(error)),
    complete: () => {},
  });
  const expected = [];
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < 4; n += 1) {
      expected.push(`${round}.${n}`);
      await say(house, token, gatheringId, `${round}.${n}`);
      if (n === 1) sockets.at(-1)?.terminate();
    }
  }
  await until('every message', () => bodies.length >= expected.length);
  assert.deepEqual(bodies, expected);
  stop();
  await it.dispose();
});

test('a socket is closed with 4403 when its token ends', async () => {
  const brief = await openHouse({ MOIM_MEMBER__ACCESS_TOKEN_S: '2' });
  try {
    const shortLived = await signUp(brief, 'brief');
    const code = await closed({ url: brief.socket, connectionParams: { accessToken: shortLived } });
    assert.equal(code, 4403);
  } finally {
    await brief.close();
  }
});

test('a stop tells clients 1001, and the program ends cleanly', async () => {
  const stopped = await openHouse();
  const code = closed({ url: stopped.socket, connectionParams: {}, on: { connected: () => stopped.stop() } });
  assert.equal(await code, 1001);
  await stopped.close();
});

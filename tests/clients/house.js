// A house of its own for each test file: the program on a free port, with people and a gathering in it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const program = process.env.MOIM_BIN ?? join(here, '../../target/debug/moim');

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Opens an empty house; `knobs` are set as the environment sets them. */
export async function openHouse(knobs = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'moim-clients-'));
  const port = await freePort();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MOIM_')));
  // Everybody comes from one address here.
  const unlimited = {
    MOIM_BFF__REQUESTS_PER_ADDRESS: '0',
    MOIM_BFF__ATTEMPTS_PER_MINUTE: '0',
    MOIM_BFF__MEMBER_POINTS: '0',
    MOIM_BFF__STRANGER_POINTS: '0',
  };
  Object.assign(env, unlimited, { MOIM_BFF__CONSOLE_ASSETS: join(here, 'node_modules') }, knobs);
  const args = ['--data', join(directory, 'data'), '--listen', `127.0.0.1:${port}`, '--no-town'];
  const moim = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [moim.stdout, moim.stderr]) stream.on('data', (text) => (log += text));
  const ended = once(moim, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const house = {
    url,
    graphql: `${url}/graphql`,
    socket: `ws://127.0.0.1:${port}/graphql`,
    /** Asks the program to stop; how it ended. */
    async stop() {
      moim.kill('SIGTERM');
      const [status] = await ended;
      return { status, log };
    },
    async close() {
      if (moim.exitCode === null && moim.signalCode === null) await house.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  for (let tries = 0; tries < 300; tries += 1) {
    const ready = await fetch(`${url}/readyz`).then((it) => it.status === 200, () => false);
    if (ready) return house;
    if (moim.exitCode !== null) break;
    await sleep(100);
  }
  await house.close();
  throw new Error(`moim did not get ready: ${log}`);
}

/** The data of an operation that must not fail; what it wrote is seen by those after it. */
export async function data(house, token, query, variables = {}) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (house.seen) headers['x-moim-seen'] = house.seen;
  const response = await fetch(house.graphql, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  house.seen = response.headers.get('x-moim-seen') ?? house.seen;
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  for (const [field, payload] of Object.entries(answer.data)) {
    if (payload?.userErrors?.length > 0) throw new Error(`${field}: ${JSON.stringify(payload.userErrors)}`);
  }
  return answer.data;
}

/** Opens an account; its access token. */
export async function signUp(house, nickname) {
  const input = { nickname, email: `${nickname}@moim.example`, password: 'correct horse battery' };
  const query = 'mutation($input: AuthSignUpInput!) { authSignUp(input: $input) { tokens { accessToken } userErrors { code message } } }';
  return (await data(house, null, query, { input })).authSignUp.tokens.accessToken;
}

/** Opens a gathering; its id. */
export async function createGathering(house, token) {
  const { regions } = await data(house, token, '{ regions { id } }');
  const input = {
    title: 'Readers of Mapo', description: 'A book a month.', category: 'ARTS', regionId: regions[0].id, capacity: 10,
  };
  const query = 'mutation($input: GatheringCreateInput!) { gatheringCreate(input: $input) { gathering { id } userErrors { code message } } }';
  return (await data(house, token, query, { input })).gatheringCreate.gathering.id;
}

/** Sends a line to a gathering's chat; its cursor. */
export async function say(house, token, gatheringId, body) {
  const input = { gatheringId, body, clientId: crypto.randomUUID() };
  const query = 'mutation($input: ChatMessageSendInput!) { chatMessageSend(input: $input) { edge { cursor } userErrors { code message } } }';
  return (await data(house, token, query, { input })).chatMessageSend.edge.cursor;
}

export const LISTEN = `subscription Listen($gatheringId: ID!, $after: String) {
  chatMessageAdded(gatheringId: $gatheringId, after: $after) { cursor node { body } }
}`;

/** Waits until something holds, for at most twenty seconds. */
export async function until(what, holds) {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`never came about: ${what}`);
}

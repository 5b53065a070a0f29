// The console in a browser without any network but this house: signs in, subscribes, hears another client.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { createGathering, data, openHouse, say } from './house.js';

const PATIENCE = { timeout: 30_000 };
const SIGN_UP = `mutation SignUp {
  authSignUp(input: { email: "visitor@moim.example", password: "correct horse battery", nickname: "visitor" }) {
    tokens { accessToken }
    userErrors { code message }
  }
}`;

let house;
let browser;

before(async () => {
  house = await openHouse();
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  assert.ok(existsSync(executablePath), `there is no ${executablePath}`);
  browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
});

afterEach(async (t) => {
  const page = browser?.contexts().at(-1)?.pages().at(-1);
  if (page && !t.passed) await picture(page, 'failed');
});

after(async () => {
  await browser?.close();
  await house?.close();
});

async function openConsole() {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  const foreign = [];
  const problems = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== house.url) foreign.push(request.url());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(`${house.url}/`);
  await page.waitForSelector('.graphiql-query-editor .CodeMirror', PATIENCE);
  return { page, foreign, problems };
}

/** Replaces what stands in an editor, as pasting over it does. */
async function write(page, section, text) {
  await page.click(`section[aria-label="${section}"] .graphiql-editor:not(.hidden) .CodeMirror-lines`, PATIENCE);
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

const RESULT = 'section[aria-label="Result Window"] .CodeMirror-code';

const shows = (page, text) => page.locator(RESULT, { hasText: text }).waitFor(PATIENCE);

/** Runs an operation, which has a name: once its tab bears it, GraphiQL has read the text. */
async function run(page, document, expected) {
  await write(page, 'Query Editor', document);
  const [, name] = /^\w+ (\w+)/.exec(document);
  await page.locator('.graphiql-tab-active', { hasText: name }).waitFor(PATIENCE);
  await page.click('.graphiql-execute-button', PATIENCE);
  await shows(page, expected);
}

async function picture(page, name) {
  if (process.env.MOIM_PICTURES) await page.screenshot({ path: `${process.env.MOIM_PICTURES}/${name}.png` });
}

/** Opens an account; its access token, which from now on goes along with every request. */
async function signIn(page) {
  await run(page, SIGN_UP, 'accessToken');
  const [, token] = /"accessToken":\s*"([^"]+)"/.exec(await page.locator(RESULT).textContent());
  await page.click('button[data-name="headers"]', PATIENCE);
  await write(page, 'Headers', JSON.stringify({ authorization: `Bearer ${token}` }));
  return token;
}

test('a visitor signs in, subscribes, and sees what another client says', async () => {
  const { page, foreign, problems } = await openConsole();
  const token = await signIn(page);
  await run(page, 'query Me { viewer { email } }', '"email": "visitor@moim.example"');
  await picture(page, 'signed-in');

  const gatheringId = await createGathering(house, token);
  // Once this is said, the room that tells messages knows who is a member.
  await say(house, token, gatheringId, 'hello');
  const listen = `subscription Listen { chatMessageAdded(gatheringId: "${gatheringId}") { cursor node { body } } }`;
  // Only what is said after the subscription began is heard, so it is said until it is.
  const heard = run(page, listen, 'hello from elsewhere');
  let done = false;
  heard.then(() => (done = true), () => (done = true));
  while (!done) {
    await say(house, token, gatheringId, 'hello from elsewhere');
    await page.waitForTimeout(300);
  }
  await heard;
  await picture(page, 'subscribed');
  assert.deepEqual(foreign, [], 'the console asked somebody else');
  assert.deepEqual(problems, []);
  assert.ok(await data(house, token, '{ viewer { id } }'));
});

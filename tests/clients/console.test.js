// The console in a browser without any network but this house: signs in, subscribes, hears another client.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { createGathering, data, openHouse, say } from './house.js';

const PATIENCE = { timeout: 30_000 };
const SIGN_UP = `mutation {
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

/** Puts a text into one of GraphiQL's editors, as pasting it does. */
async function fill(page, editor, text) {
  await page.evaluate(([selector, value]) => {
    document.querySelector(selector).CodeMirror.setValue(value);
  }, [`${editor} .CodeMirror`, text]);
}

const answer = (page) => page.evaluate(() => document.querySelector('.result-window .CodeMirror').CodeMirror.getValue());

async function shows(page, text) {
  await page.waitForFunction((wanted) => {
    const window = document.querySelector('.result-window .CodeMirror');
    return window?.CodeMirror.getValue().includes(wanted);
  }, text, PATIENCE);
}

async function picture(page, name) {
  if (process.env.MOIM_PICTURES) await page.screenshot({ path: `${process.env.MOIM_PICTURES}/${name}.png` });
}

async function signIn(page) {
  await fill(page, '.graphiql-query-editor', SIGN_UP);
  await page.click('.graphiql-execute-button');
  await shows(page, 'accessToken');
  const token = JSON.parse(await answer(page)).data.authSignUp.tokens.accessToken;
  await page.click('[data-name="headers"]', { timeout: 5_000 }).catch(() => {});
  await fill(page, '[aria-label="Headers"]', JSON.stringify({ authorization: `Bearer ${token}` }));
  return token;
}

test('a visitor signs in, subscribes, and sees what another client says', async () => {
  const { page, foreign, problems } = await openConsole();
  const token = await signIn(page);
  await fill(page, '.graphiql-query-editor', '{ viewer { id } }');
  await page.click('.graphiql-execute-button');
  await shows(page, '"viewer"');
  await picture(page, 'signed-in');

  const gatheringId = await createGathering(house, token);
  const listen = `subscription { chatMessageAdded(gatheringId: "${gatheringId}") { cursor node { body } } }`;
  await fill(page, '.graphiql-query-editor', listen);
  await page.click('.graphiql-execute-button');
  // Only what is said after the subscription began is heard, so it is said until it is.
  const heard = shows(page, 'hello from elsewhere').then(() => true);
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

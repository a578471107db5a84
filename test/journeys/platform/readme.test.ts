import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { platformApp } from '../../support/platform.ts';
import { type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';

/** What README tells a newcomer to type, typed: only the ports, the key and the patience are this run's own. */
const SLUG = 'readme';
const SHELL_MS = 120_000;
const readme = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);

let navbat: Navbat;
let project: TestProject;

beforeAll(async () => {
  navbat = await startNavbat({ env: { WEBHOOK_ALLOW_PRIVATE: 'true', BOT_PROJECT: SLUG } });
  project = await navbat.createProject();
  await navbat.db.query('update project set slug = $2 where id = $1', [project.id, SLUG]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
});
afterAll(() => navbat.stop());

/** Answers what the lines printed: one JSON text after the other, as curl leaves them. */
async function type(lines: string): Promise<Record<string, unknown>[]> {
  const script = lines
    .replaceAll('http://127.0.0.1:3000', navbat.apiUrl)
    .replaceAll('http://127.0.0.1:3002', navbat.sandbox.url)
    // Other tests keep this machine busy.
    .replace('sleep 2', 'sleep 5');
  expect(script).not.toMatch(/127\.0\.0\.1:300\d/);
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { timeout: SHELL_MS });
  return JSON.parse(`[${stdout.trim().replaceAll(/\}\s*\{/g, '},{')}]`);
}

const blockWith = (path: string): string => {
  const block = blocks.find((each) => each.includes(path));
  if (block === undefined) throw new Error(`README has no lines that call ${path}`);
  return block;
};

test('the five-line tour: the code is approved once, and then refused', async () => {
  const lines = blockWith('/otp/verify');
  expect(lines).toContain('KEY=nbt_live_…\n');
  const answers = await type(lines.replace('KEY=nbt_live_…', `KEY=${project.key}`));
  expect(answers).toEqual([
    expect.objectContaining({ status: 'approved' }),
    expect.objectContaining({ status: 410, reason: 'used' }),
  ]);
});

test('a message, a push, an endpoint and a person who opens the bot', async () => {
  const answers = await type(`KEY=${project.key}\n${blockWith('/telegram/send')}`);
  const [message, push, endpoint] = answers;
  expect(message).toMatchObject({ total: 1, job_id: expect.any(String) });
  expect(push).toMatchObject({ total: 1, job_id: expect.any(String) });
  expect(endpoint).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });

  const heard = () => navbat.sandbox.inbox({ to: '4242' }).map(({ text }) => text);
  // The message, and the bot's answer to `/start`.
  await until(async () => heard().length === 2);
  expect(heard()).toContainEqual(expect.stringContaining('Your turn is'));
  expect(heard()).toContainEqual(expect.stringContaining(SLUG));
  const shown = await navbat.sandbox.waitForMessage({ to: 'a-device' });
  expect(shown.text).toContain('Your turn is next');
});

test('a person signs in with a code, and gets an authenticator to bind', async () => {
  const app = await platformApp(navbat);
  const lines = blockWith('/me/authenticators').replace(/^APP=.*$/m, `APP=${app.key}`);
  const [pending] = await type(lines);
  expect(pending).toMatchObject({
    totp: { uri: expect.stringMatching(/^otpauth:\/\/totp\//) },
    qr: { svg: expect.stringContaining('<svg'), png: expect.any(String) },
  });
});

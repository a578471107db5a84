import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../../infra/embedded/port.ts';
import { platformApp } from '../../support/platform.ts';
import {
  codeSentTo,
  type Navbat,
  startNavbat,
  type TestProject,
  until,
  wrongCode,
} from '../../support/navbat.ts';

/** What README tells a newcomer to type, typed: only the ports, the key and the patience are this run's own. */
const SLUG = 'readme';
const SHELL_MS = 120_000;
const readme = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'README.md'), 'utf8');
const blocksOf = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  );

let navbat: Navbat;
let project: TestProject;

beforeAll(async () => {
  navbat = await startNavbat({ env: { WEBHOOK_ALLOW_PRIVATE: 'true', BOT_PROJECT: SLUG } });
  project = await navbat.createProject();
  await navbat.db.query('update project set slug = $2 where id = $1', [project.id, SLUG]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
});
afterAll(() => navbat.stop());

const here = (text: string): string => {
  const moved = text
    .replaceAll('http://127.0.0.1:3000', navbat.apiUrl)
    .replaceAll('http://127.0.0.1:3002', navbat.sandbox.url);
  expect(moved).not.toMatch(/127\.0\.0\.1:300\d/);
  return moved;
};

/** Answers what the lines printed: one JSON text after the other, as curl leaves them. */
async function type(lines: string, cwd?: string): Promise<Record<string, unknown>[]> {
  // Other tests keep this machine busy.
  const script = here(lines).replaceAll('sleep 2', 'sleep 5');
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { timeout: SHELL_MS, cwd });
  return JSON.parse(`[${stdout.trim().replaceAll(/([}\d])\s*(?=\{|401)/g, '$1,')}]`);
}

const blockWith = (text: string, language = 'sh'): string => {
  const block = blocksOf(language).find((each) => each.includes(text));
  if (block === undefined) throw new Error(`README has no ${language} block with ${text}`);
  return block;
};

/** A folder with the program that README gives, and the lines that run it there with the Node of this test. */
async function withProgram(name: string, edit: (program: string) => string, lines: string) {
  const folder = await mkdtemp(join(tmpdir(), 'navbat-readme-'));
  try {
    await writeFile(join(folder, name), edit(here(blockWith(`// ${name}`, 'ts'))));
    return await type(lines.replace(/\S*node(?: node)? (?=\w+\.ts)/, `${process.execPath} `), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the five-line tour: the code is approved once, and then refused', async () => {
  const lines = blockWith('/otp/verify');
  expect(lines).toContain('KEY=nbt_live_…\n');
  const answers = await type(lines.replace('KEY=nbt_live_…', `KEY=${project.key}`));
  expect(answers).toEqual([
    expect.objectContaining({ status: 'approved' }),
    expect.objectContaining({ status: 410, reason: 'used' }),
  ]);
});

/** Each member that README shows is one that comes, of the same type. */
function expectShown(shown: string, answer: Record<string, unknown>): void {
  const members = z.record(z.string(), z.unknown()).parse(JSON.parse(blockWith(shown, 'json')));
  expect(Object.keys(members).length).toBeGreaterThan(2);
  for (const [name, value] of Object.entries(members))
    expect(typeof answer[name], `${name} of ${shown}`).toBe(typeof value);
}

test('the answers that README shows are those that come', async () => {
  const to = '+998901234569';
  const sent = await project.call('POST', '/otp/send', { to });
  expectShown('"job_id"', sent.body);
  const code = await codeSentTo(navbat, to);
  const refused = await project.call('POST', '/otp/verify', { id: sent.body.id, code: wrongCode(code) });
  expectShown('problem:incorrect-code', refused.body);
  expect(refused.body).toEqual(JSON.parse(blockWith('problem:incorrect-code', 'json')));
  expectShown('"approved"', (await project.call('POST', '/otp/verify', { id: sent.body.id, code })).body);
});

test('a client with a test key: the code is read, and approved', async () => {
  const testing = await navbat.createProject({ mode: 'test' });
  const lines = blockWith('check.ts').replace(/^export TEST_KEY=.*$/m, `export TEST_KEY=${testing.key}`);
  const printed = await withProgram('check.ts', (program) => program, lines);
  expect(printed).toEqual([expect.objectContaining({ status: 'approved' })]);
});

test('a receiver of webhooks takes what Navbat signed, and nothing else', async () => {
  const port = String(await freePort());
  const atPort = (text: string) => text.replaceAll('4000', port);
  const lines = `KEY=${project.key}\n${atPort(blockWith('receiver.ts'))}`;
  const printed = await withProgram('receiver.ts', atPort, lines);
  expect(printed).toHaveLength(3);
  expect(printed).toContainEqual({ event_id: expect.any(String), status_url: expect.any(String) });
  expect(printed).toContainEqual(expect.objectContaining({ type: 'test', data: expect.any(Object) }));
  expect(printed.at(-1)).toBe(401);
  const left = await project.call('GET', '/webhooks/endpoints');
  expect(left.body.data).toEqual([]);
});

test('a message, a push and a person who opens the bot', async () => {
  const answers = await type(`KEY=${project.key}\n${blockWith('/telegram/send')}`);
  const [message, push] = answers;
  expect(message).toMatchObject({ total: 1, job_id: expect.any(String) });
  expect(push).toMatchObject({ total: 1, job_id: expect.any(String) });
  expectShown('"duplicates"', z.record(z.string(), z.unknown()).parse(message));

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
  expectShown('"confirm_until"', z.record(z.string(), z.unknown()).parse(pending));
});

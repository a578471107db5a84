import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { navbatCommand } from '../../support/command-line.ts';
import { EVENTUALLY_MS } from '../../support/eventually.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';

let navbat: Navbat;
let project: TestProject;

beforeAll(async () => {
  navbat = await startNavbat({ env: { SANDBOX_CLOCK: 'true' } });
  project = await navbat.createProject();
});
afterAll(() => navbat.stop());

const clock = async (...args: string[]) =>
  expect(await navbatCommand(['clock', ...args], navbat.env)).toMatchObject({ code: 0 });

test('two hours forward: a code expires, and a message that was ordered for then is sent', async () => {
  const sent = await project.call('POST', '/otp/send', { to: '+998901234567', channels: ['sms'] });
  expect(sent.status).toBe(202);
  await navbat.sandbox.waitForMessage({ to: '+998901234567' });
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  const order = { to: { chat_id: 4711 }, text: 'in an hour', send_at: inAnHour };
  expect((await project.call('POST', '/telegram/send', order)).status).toBe(202);
  const state = async () => (await project.call('GET', `/otp/${sent.body.id}`)).body.status;
  expect(await state()).toBe('live');

  await clock('forward', '2h');
  // The command ends when every process has followed.
  expect(await state()).toBe('expired');
  await navbat.sandbox.waitForMessage({ to: '4711' });
  // What is asked for now lives in the time of now, and its code counts.
  const again = await project.call('POST', '/otp/send', { to: '+998901234568', channels: ['sms'] });
  const { text } = await navbat.sandbox.waitForMessage({ to: '+998901234568' });
  const code = /\b\d{6}\b/.exec(text)?.[0];
  const checked = await project.call('POST', '/otp/verify', { id: again.body.id, code });
  expect(checked).toMatchObject({ status: 200 });
});

/** On the database that the test before has moved. */
test.each([
  ['apps/api/main.ts'],
  ['apps/board/main.ts'],
  ['workers/main.ts', 'webhook'],
  ['workers/main.ts', 'reconciler'],
])('a production %s %s does not start on that database', async (...command) => {
  const refused = await new Promise<{ code: unknown; err: string }>((resolve) => {
    const options = {
      env: { ...navbat.env, SANDBOX_CLOCK: '', PATH: process.env['PATH'] },
      timeout: EVENTUALLY_MS,
    };
    execFile(process.execPath, command, options, (error, _out, err) => resolve({ code: error?.code, err }));
  });
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('npm run navbat -- clock reset');
});

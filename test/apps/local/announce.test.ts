import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { credentialLines, exposureLines, laterLines, surfaceLines } from '../../../apps/local/announce.ts';
import { demoText, keepDemo } from '../../../apps/local/demo.ts';
import { localEnvironment } from '../../../apps/local/environment.ts';

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'navbat-home-'));
  onTestFinished(() => rm(home, { recursive: true }));
  return home;
}

test('each surface is told where a browser finds it', () => {
  const lines = surfaceLines((name) => `http://${name}`);
  expect(lines.map((line) => line.split(/ +/))).toEqual([
    ['api', 'http://API_PORT'],
    ['docs', 'http://API_PORT/docs'],
    ['redoc', 'http://API_PORT/redoc'],
    ['board', 'http://BOARD_PORT/'],
    ['ops', 'http://BOARD_PORT/ops'],
    ['inbox', 'http://SANDBOX_PORT/inbox'],
  ]);
});

test('what other machines reach is said: BIND_HOST opens no sandbox, and either is a warning', () => {
  const closed = { BIND_HOST: '127.0.0.1', SANDBOX_BIND_HOST: '127.0.0.1' };
  expect(exposureLines(closed)).toEqual([]);
  expect(exposureLines({ ...closed, BIND_HOST: '0.0.0.0' })).toEqual([
    expect.stringMatching(/^WARNING: BIND_HOST=0\.0\.0\.0 .*board/),
  ]);
  expect(exposureLines({ ...closed, SANDBOX_BIND_HOST: '::' })).toEqual([
    expect.stringMatching(/^WARNING: SANDBOX_BIND_HOST=:: .*every code/),
  ]);
  const env = localEnvironment({ BIND_HOST: '192.0.2.7' }, {}, '/home');
  expect([env['PUBLIC_URL'], env['TWILIO_API_URL']]).toEqual([
    'http://192.0.2.7:3000',
    'http://127.0.0.1:3002',
  ]);
});

test('credentials go to a file of mode 600 where the output is not a terminal, and only its path is printed', async () => {
  const home = await newHome();
  const demo = await keepDemo(home, undefined, true);
  expect(laterLines(home)).toEqual([]);
  const printed = (await credentialLines(home, demo, false)).join('\n');
  expect(printed).toContain(join(home, 'first-start.txt'));
  expect(printed).not.toContain(demo.apiKey);
  expect(printed).not.toContain(demo.boardPassword);
  expect(((await stat(join(home, 'first-start.txt'))).mode & 0o777).toString(8)).toBe('600');
  expect(await readFile(join(home, 'first-start.txt'), 'utf8')).toBe(demoText(demo));
  expect(laterLines(home).join('\n')).toBe(printed);
});

test('credentials are printed to a terminal', async () => {
  const home = await newHome();
  const demo = await keepDemo(home, undefined, true);
  const printed = (await credentialLines(home, demo, true)).join('\n');
  for (const secret of [demo.apiKey, demo.boardEmail, demo.boardPassword]) expect(printed).toContain(secret);
});

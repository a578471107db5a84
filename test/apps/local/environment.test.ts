import { describe, expect, test } from 'vitest';
import { exposureLines } from '../../../apps/local/announce.ts';
import { localEnvironment, reachableHost } from '../../../apps/local/environment.ts';
import { jsonLine, messageOf, prettyLine } from '../../../apps/local/log-lines.ts';
import { portTroubles } from '../../../apps/local/ports.ts';
import { CRASH_WINDOW_MS, CRASHES_MAX, decideRestart } from '../../../apps/local/restarts.ts';
import { newSandboxCredentials } from '../../../apps/local/secrets.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';

const now = new Date('2026-01-15T10:00:00Z');
const secrets = { ...newSecrets(now), ...newSandboxCredentials() };
const environment = (given: Record<string, string>) => localEnvironment(given, secrets, '/home/of/navbat');

describe('the environment of npm start', () => {
  test('is a whole configuration on which only this machine can call', () => {
    const config = readConfig(environment({}));
    expect(config).toMatchObject({
      BIND_HOST: '127.0.0.1',
      API_PORT: 3000,
      PUBLIC_URL: 'http://127.0.0.1:3000',
      NAVBAT_HOME: '/home/of/navbat',
      TWILIO_API_URL: 'http://127.0.0.1:3002',
      FCM_SANDBOX_URL: 'http://127.0.0.1:3002',
    });
  });

  test('follows the ports that are chosen', () => {
    const config = readConfig(environment({ API_PORT: '4000', SANDBOX_PORT: '4002' }));
    expect(config.PUBLIC_URL).toBe('http://127.0.0.1:4000');
    expect(config.TELEGRAM_API_ROOT).toBe('http://127.0.0.1:4002');
  });

  test.each([
    { given: { TWILIO_AUTH_TOKEN: 'real' }, off: ['TWILIO_API_URL', 'TWILIO_ACCOUNT_SID'] },
    {
      given: { TWILIO_AUTH_TOKEN_FILE: '/run/secrets/twilio' },
      off: ['TWILIO_API_URL', 'TWILIO_AUTH_TOKEN'],
    },
    { given: { TELEGRAM_BOT_TOKEN: '1:real' }, off: ['TELEGRAM_API_ROOT'] },
    { given: { TELEGRAM_GATEWAY_TOKEN: 'real' }, off: ['TELEGRAM_GATEWAY_URL'] },
    { given: { FIREBASE_SERVICE_ACCOUNT: '{}' }, off: ['FCM_SANDBOX_URL'] },
  ])('sends no real credential to the sandbox: $given', ({ given, off }) => {
    const names = Object.keys(environment(given));
    for (const name of off) expect(names).not.toContain(name);
  });

  test('a secret that is given wins over the one of the home, an empty one does not', () => {
    expect(environment({ PEPPER: 'given' })['PEPPER']).toBe('given');
    expect(environment({ PEPPER: '' })['PEPPER']).toBe(secrets.PEPPER);
  });

  test.each([
    [undefined, '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '127.0.0.1'],
    ['10.0.0.7', '10.0.0.7'],
    ['::1', '[::1]'],
  ])('a server that listens at %s is reached at %s', (bindHost, host) => {
    expect(reachableHost(bindHost)).toBe(host);
  });
});

describe('the ports', () => {
  const three = (api: number, board: number) =>
    [
      { name: 'API_PORT', port: api },
      { name: 'BOARD_PORT', port: board },
      { name: 'SANDBOX_PORT', port: 3002 },
    ] as const;

  test('are named where they are taken, and only those', async () => {
    const troubles = await portTroubles(three(3000, 3001), async (port) => port !== 3001);
    expect(troubles).toEqual([expect.stringMatching(/^BOARD_PORT: port 3001 is taken/)]);
  });

  test('are named where two are the same', async () => {
    expect(await portTroubles(three(3001, 3001), async () => true)).toEqual([
      expect.stringContaining('BOARD_PORT and API_PORT are both 3001'),
    ]);
  });
});

describe('a child that crashed', () => {
  test('starts again ever later, at most 8 s', () => {
    const waits = [1, 2, 3, 4, 5].map((crashes) => decideRestart(Array<number>(crashes).fill(0), 0));
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000].map((restartInMs) => ({ restartInMs })));
  });

  test('is given up at the last crash within the window, and not a moment later', () => {
    const crashes = Array<number>(CRASHES_MAX).fill(0);
    expect(decideRestart(crashes, CRASH_WINDOW_MS - 1)).toBe('give-up');
    expect(decideRestart(crashes, CRASH_WINDOW_MS)).toEqual({ restartInMs: 500 });
    expect(decideRestart(crashes.slice(1), CRASH_WINDOW_MS - 1)).not.toBe('give-up');
  });
});

describe('a log line', () => {
  const line = JSON.stringify({
    level: 'error',
    time: now.toISOString(),
    name: 'api',
    pid: 7,
    msg: 'no',
    job: 'a',
  });

  test('is short for a person and untouched for a program', () => {
    expect(prettyLine('api', line)).toMatch(/10:00:00.* api .*error: no.*job=a/);
    expect(prettyLine('api', line)).not.toContain('pid');
    expect(jsonLine('api', line, now)).toBe(line);
    expect(messageOf(line)).toBe('no');
  });

  test('that is none becomes one for a program', () => {
    expect(JSON.parse(jsonLine('api', 'Error: it broke', now))).toMatchObject({
      name: 'api',
      msg: 'Error: it broke',
    });
    expect(prettyLine('api', 'Error: it broke')).toContain('Error: it broke');
    expect(messageOf('worker ready')).toBeUndefined();
  });
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

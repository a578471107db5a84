import { describe, expect, test } from 'vitest';
import { localEnvironment, reachableHost } from '../../../apps/local/environment.ts';
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
      ESKIZ_API_URL: 'http://127.0.0.1:3002/eskiz',
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
    { given: { ESKIZ_PASSWORD: 'real' }, off: ['ESKIZ_API_URL', 'ESKIZ_EMAIL'] },
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

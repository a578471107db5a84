import { describe, expect, test } from 'vitest';
import { localEnvironment, reachableHost, withProducts } from '../../../apps/local/environment.ts';
import { checkModules } from '../../../apps/local/modules.ts';
import { newSandboxCredentials } from '../../../apps/local/secrets.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
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

describe('npm start -- --with', () => {
  const on = (given: Record<string, string>, ...args: string[]) =>
    withProducts(given, args)['NAVBAT_PRODUCTS'];

  test('turns a product on besides those that are on', () => {
    expect(on({}, '--with', 'pay')).toBe('verify,message,pay');
    expect(on({ NAVBAT_PRODUCTS: 'message' }, '--with=pay')).toBe('message,pay');
    expect(on({ NAVBAT_PRODUCTS: '' }, '--with', 'pay', '--with', 'verify')).toBe(
      'verify,message,pay,verify',
    );
    expect(on({})).toBeUndefined();
  });

  test('is a whole configuration with money, whose book is that of the project to which people sign in', () => {
    const given = withProducts({}, ['--with', 'pay']);
    const config = readConfig(localEnvironment(given, secrets, '/home/of/navbat'));
    expect([...config.NAVBAT_PRODUCTS]).toContain('pay');
    expect(config.MONEY_PROJECT).toBe(PLATFORM_PROJECT_ID);
    expect(() => checkModules(config, config.NAVBAT_PRODUCTS)).not.toThrow();
    const { MONEY_PROJECT: _given, ...without } = config;
    expect(() => checkModules(without as typeof config, config.NAVBAT_PRODUCTS)).toThrow(
      /^MONEY_PROJECT: missing/,
    );
    expect(() => checkModules(without as typeof config, new Set(['verify', 'message']))).not.toThrow();
  });

  test.each(['--without', 'pay', '--with'])('%s is refused', (arg) => {
    expect(() => withProducts({}, [arg])).toThrow(arg);
  });
});

import { describe, expect, test } from 'vitest';
import { localEnvironment, withProducts } from '../../../../apps/local/environment.ts';
import { checkModules } from '../../../../apps/local/modules.ts';
import { newSandboxCredentials } from '../../../../apps/local/secrets.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { readConfig } from '../../../../infra/process/config.ts';
import { newSecrets } from '../../../../infra/process/new-secrets.ts';

const now = new Date('2026-01-15T10:00:00Z');
const secrets = { ...newSecrets(now), ...newSandboxCredentials() };

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
    expect(() => checkModules(without as typeof config, new Set(['message']))).not.toThrow();
  });

  test.each(['--without', 'pay', '--with'])('%s is refused', (arg) => {
    expect(() => withProducts({}, [arg])).toThrow(arg);
  });
});

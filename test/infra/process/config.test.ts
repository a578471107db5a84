import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ConfigName, readConfig } from '../../../infra/process/config.ts';
import { Environment } from '../../../infra/process/config-schema.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';

const key = (byte: number, bytes = 32) => Buffer.alloc(bytes, byte).toString('base64url');
const secrets = newSecrets(new Date('2026-01-15T10:00:00Z'));
const read = <Name extends ConfigName>(env: Record<string, string>, ...names: Name[]) =>
  readConfig(env, names);
const fault = (env: Record<string, string>, ...names: ConfigName[]): string => {
  try {
    read(env, ...names);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a variable', () => {
  test('that a process does not read may be anything', () => {
    expect(read({ API_PORT: 'x', BOARD_PORT: '80' }, 'BOARD_PORT').BOARD_PORT).toBe(80);
  });

  test('that is empty counts as unset', () => {
    expect(read({ API_PORT: '' }, 'API_PORT').API_PORT).toBe(3_000);
    expect(fault({ PEPPER: '' }, 'PEPPER')).toContain('PEPPER: missing');
  });

  test('that is missing or wrong is named with every other one, and never with its value', () => {
    const lines = fault(
      { PEPPER: 'hunter2', API_PORT: 'hunter3' },
      'PEPPER',
      'API_PORT',
      'DATABASE_URL',
    ).split('\n');
    expect(new Set(lines.map((line) => line.split(':')[0]))).toEqual(
      new Set(['API_PORT', 'DATABASE_URL', 'PEPPER']),
    );
    expect(lines.join()).not.toContain('hunter');
  });

  test('that is missing can be set in the file that is there; the command that writes one is named where none is', () => {
    const directory = mkdtempSync(join(tmpdir(), 'navbat-config-'));
    try {
      const file = join(directory, '.env');
      const missing = (name: string) => fault({ NAVBAT_ENV_FILE: name }, 'DATABASE_URL');
      expect(missing(file)).toMatch(/Set it in .* \(npm run env:new /);
      writeFileSync(file, '');
      expect(missing(file)).toContain(`Set it in ${file} or in the environment.`);
      expect(missing('')).toMatch(/Set it in the environment\.$/);
      const wrong = (name: string) => fault({ NAVBAT_ENV_FILE: name, SMS_ROUTES: '[' }, 'SMS_ROUTES');
      expect(wrong(file)).toContain(`Correct it in ${file} or in the environment.`);
      expect(wrong('')).toMatch(/Correct it in the environment\.$/);
      expect(wrong(file)).toContain('on one line, or in single quotes');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('that is wrong is told with the form that was expected, whichever it is', () => {
    const wrong = '\u0000?';
    const names = Environment.keyof().options.filter(
      (name) => !Environment.shape[name].safeParse(wrong).success,
    );
    expect(names).toContain('NAVBAT_DEMO_KEY');
    for (const name of names) {
      const line = fault({ [name]: wrong }, name);
      expect(line).toMatch(new RegExp(`^${name}: expected .`));
      expect(line).not.toContain(wrong);
    }
    expect(fault({ NAVBAT_DEMO_KEY: 'nbt_live_short' }, 'NAVBAT_DEMO_KEY')).toContain(
      'expected nbt_live_ and 16 to 128 of',
    );
  });

  test('is read from a file where a container mounts it, without the line end', () => {
    const directory = mkdtempSync(join(tmpdir(), 'navbat-config-'));
    try {
      const file = join(directory, 'pepper');
      writeFileSync(file, `${key(1)}\n`);
      const config = read({ PEPPER_FILE: file }, 'PEPPER');
      expect(config.PEPPER).toBe(key(1));
      expect([...config.given]).toEqual(['PEPPER']);
      expect(read({ PEPPER: key(2), PEPPER_FILE: file }, 'PEPPER').PEPPER).toBe(key(2));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('keys', () => {
  test('have 32 bytes each, and the first is the current one', () => {
    const ring = read({ CODE_KEYS: `b:${key(1)},a:${key(2)}` }, 'CODE_KEYS').CODE_KEYS;
    expect(ring.current).toBe('b');
    expect([...ring.keys.keys()]).toEqual(['b', 'a']);
    for (const text of [
      key(1),
      `:${key(1)}`,
      `a:${key(1, 31)}`,
      `a:${key(1, 33)}`,
      `a:${key(1)},b`,
      `a:${key(1)},`,
      ',',
    ])
      expect(fault({ CODE_KEYS: text }, 'CODE_KEYS'), text).toContain('CODE_KEYS');
  });

  test('a pepper of 31 bytes or 33 is refused', () => {
    for (const bytes of [31, 33]) expect(fault({ PEPPER: key(1, bytes) }, 'PEPPER')).toContain('32 bytes');
  });

  test('that signed before are public halves, and each kid names one key', () => {
    const { d: _d, ...current } = JSON.parse(secrets.JWT_PRIVATE_JWK) as Record<string, string>;
    const before = (...jwks: object[]) =>
      fault(
        { JWT_PRIVATE_JWK: secrets.JWT_PRIVATE_JWK, JWT_PREVIOUS_JWKS: JSON.stringify(jwks) },
        'JWT_PRIVATE_JWK',
        'JWT_PREVIOUS_JWKS',
      );
    expect(before({ ...current, kid: 'old' })).toBe('');
    expect(before(current)).toContain('each kid once');
    expect(before({ ...current, kid: 'old' }, { ...current, kid: 'old' })).toContain('each kid once');
    expect(before(JSON.parse(secrets.JWT_PRIVATE_JWK) as object)).toContain('without d');
    expect(before(...Array.from({ length: 9 }, (_, n) => ({ ...current, kid: `k${n}` })))).toContain(
      'up to 8',
    );
  });
});

test('production posts heads over https, or to this machine', () => {
  const production = (url: string) =>
    readConfig({ NODE_ENV: 'production', LEDGER_WITNESS_URL: url }, ['NODE_ENV', 'LEDGER_WITNESS_URL']);
  for (const url of ['http://witness.example/heads', 'http://10.0.0.7/', 'http://localhost.example/'])
    expect(() => production(url), url).toThrow(/^LEDGER_WITNESS_URL: expected https:\/\/ /);
  for (const url of [
    'https://witness.example/heads',
    'http://localhost:9/',
    'http://127.0.0.1:9/',
    'http://[::1]:9/',
  ])
    expect(production(url).LEDGER_WITNESS_URL).toBe(url);
});

test('production takes no sandbox and no key that stands in a script', () => {
  const sandbox = {
    TWILIO_API_URL: 'http://127.0.0.1:1',
    ESKIZ_API_URL: 'http://127.0.0.1:1',
    TELEGRAM_API_ROOT: 'http://127.0.0.1:1',
    TELEGRAM_GATEWAY_URL: 'http://127.0.0.1:1',
    FCM_SANDBOX_URL: 'http://127.0.0.1:1',
    NAVBAT_DEMO_KEY: `nbt_live_${'a'.repeat(16)}`,
  };
  for (const [name, value] of Object.entries(sandbox)) {
    const names = ['NODE_ENV', name as ConfigName] as const;
    expect(fault({ NODE_ENV: 'production', [name]: value }, ...names)).toContain(name);
    expect(fault({ NODE_ENV: 'development', [name]: value }, ...names)).toBe('');
  }
});

test('a port is one that there is', () => {
  for (const port of ['1', '65535']) expect(fault({ API_PORT: port }, 'API_PORT')).toBe('');
  for (const port of ['0', '65536', '-1', '80.5', 'http'])
    expect(fault({ API_PORT: port }, 'API_PORT'), port).toContain('API_PORT');
});

test('our public address ends without a slash, so that a path can be put behind it', () => {
  expect(read({ PUBLIC_URL: 'https://a.example//' }, 'PUBLIC_URL').PUBLIC_URL).toBe('https://a.example');
  expect(fault({ PUBLIC_URL: 'ftp://a.example' }, 'PUBLIC_URL')).toContain('PUBLIC_URL');
});

describe('STAFF_ORIGIN, at which passkeys work', () => {
  test.each(['https://board.example.uz', 'https://board.example.uz:8443', 'http://localhost:3001'])(
    'is %s',
    (origin) => {
      expect(read({ STAFF_ORIGIN: origin }, 'STAFF_ORIGIN').STAFF_ORIGIN).toBe(origin);
    },
  );

  test.each([
    ['over plain http', 'http://board.example.uz'],
    ['of an address', 'https://127.0.0.1'],
    ['of an address of IPv6', 'https://[::1]'],
    ['with a path', 'https://board.example.uz/board'],
    ['with a slash', 'https://board.example.uz/'],
    ['that is none', 'board.example.uz'],
  ])('is none %s', (_what, origin) => {
    expect(fault({ STAFF_ORIGIN: origin }, 'STAFF_ORIGIN')).toContain('STAFF_ORIGIN');
  });
});

test('products are ones that there are', () => {
  expect(
    [...read({ NAVBAT_PRODUCTS: ' verify , message' }, 'NAVBAT_PRODUCTS').NAVBAT_PRODUCTS].toSorted(),
  ).toEqual(['message', 'verify']);
  for (const text of ['learn', 'verify,learn', 'verify,'])
    expect(fault({ NAVBAT_PRODUCTS: text }, 'NAVBAT_PRODUCTS'), text).toContain('NAVBAT_PRODUCTS');
});

test('money is on by name only, and with what it needs', () => {
  const on = (env: Record<string, string>) => [...read(env, 'NAVBAT_PRODUCTS').NAVBAT_PRODUCTS].toSorted();
  expect(on({})).toEqual(['message', 'verify']);
  expect(on({ NAVBAT_PRODUCTS: 'pay,message' })).toEqual(['message', 'pay']);
  for (const text of ['pay', 'verify,pay'])
    expect(fault({ NAVBAT_PRODUCTS: text }, 'NAVBAT_PRODUCTS')).toContain(
      'NAVBAT_PRODUCTS: expected message too, which pay needs',
    );
});

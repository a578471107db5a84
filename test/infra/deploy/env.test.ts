import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { readConfig } from '../../../infra/process/config.ts';
import { Environment } from '../../../infra/process/config-schema.ts';
import { composeOnly, environmentText, newEnvironment } from '../../../infra/deploy/env.ts';

const example = readFileSync(join(resolve(import.meta.dirname, '../../..'), '.env.example'), 'utf8');
const now = new Date('2026-01-15T10:00:00Z');

test('.env.example is what the schema says; `npm run env:example` rewrites it', () => {
  expect(example).toBe(environmentText());
});

test('.env.example names exactly the variables that are read, each once', () => {
  const named = [...example.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
  expect(named).toEqual([...Object.keys(Environment.shape), ...Object.keys(composeOnly)]);
});

test('every variable is described', () => {
  for (const [name, schema] of Object.entries(Environment.shape))
    expect(schema.description, name).toBeTruthy();
});

test('.env.example holds no secret', () => {
  const set = Object.entries(parseEnv(example)).filter(([, value]) => value !== '');
  expect(set).toEqual([]);
});

const servers = {
  DATABASE_URL: 'postgres://navbat_app@postgres/navbat',
  MIGRATE_DATABASE_URL: 'postgres://navbat_owner@postgres/navbat',
  REDIS_URL: 'redis://redis:6379',
};

test('a new .env needs only the servers to be a whole configuration', () => {
  const written = parseEnv(environmentText(newEnvironment(now)));
  const config = readConfig({ ...written, ...servers });
  expect(config.CODE_KEYS.current).toBe('2026-01');
});

test('an origin is the same with a slash at its end and without', () => {
  const written = { ...parseEnv(environmentText(newEnvironment(now))), ...servers };
  for (const url of ['https://navbat.example', 'https://navbat.example/'])
    expect(readConfig({ ...written, PUBLIC_URL: url }).PUBLIC_URL).toBe('https://navbat.example');
  expect(readConfig({ ...written, PUBLIC_URL: 'https://navbat.example/api/' }).PUBLIC_URL).toBe(
    'https://navbat.example/api',
  );
  expect(readConfig(written).PUBLIC_URL).toBe('http://127.0.0.1:3000');
});

test('the keys of before are public halves, each of a name of its own', () => {
  const written = { ...parseEnv(environmentText(newEnvironment(now))), ...servers };
  const current = readConfig(written).JWT_PRIVATE_JWK;
  const old = { kty: 'OKP', crv: 'Ed25519', x: Buffer.alloc(32, 1).toString('base64url'), kid: 'old' };
  const read = (keys: unknown) =>
    readConfig({ ...written, JWT_PREVIOUS_JWKS: JSON.stringify(keys) }).JWT_PREVIOUS_JWKS;
  expect(read([old, { ...old, kid: 'older', alg: 'EdDSA', use: 'sig' }])).toMatchObject([old, {}]);
  expect(readConfig(written).JWT_PREVIOUS_JWKS).toBeUndefined();
  for (const wrong of [
    [{ ...old, d: old.x }],
    [{ ...old, kid: current.kid }],
    [old, old],
    [{ ...old, x: 'short' }],
    [{ ...old, crv: 'X25519' }],
    old,
    'old',
  ])
    expect(() => read(wrong), JSON.stringify(wrong)).toThrow('JWT_PREVIOUS_JWKS: expected');
});

test('two installations share no secret', () => {
  const [one, other] = [newEnvironment(now), newEnvironment(now)];
  for (const name of Object.keys(one)) expect(one[name], name).not.toBe(other[name]);
});

test('`npm run env:new` says what it wrote, never writes over a .env, and fails only where a secret is missing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-env-new-'));
  const path = join(directory, '.env');
  const script = resolve(import.meta.dirname, '../../../infra/deploy/env.ts');
  const run = () => spawnSync(process.execPath, [script, 'new'], { cwd: directory, encoding: 'utf8' });
  expect(run()).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\.env is written.* DATABASE_URL, MIGRATE_DATABASE_URL /),
  });
  const written = readFileSync(path, 'utf8');
  expect(run()).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\.env is there already.*left as it is.*\n$/),
  });
  expect(readFileSync(path, 'utf8')).toBe(written);
  const older = written.replace(/^REDIS_PASSWORD=.*$/m, '');
  writeFileSync(path, older);
  expect(run()).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^\.env .* no REDIS_PASSWORD: .*\n$/),
  });
  expect(readFileSync(path, 'utf8')).toBe(older);
  await rm(directory, { recursive: true });
});

test('the passwords of a new environment are nobody’s to guess, and each is another', () => {
  const made = [newEnvironment(now), newEnvironment(now)];
  const passwords = made.flatMap((each) =>
    Object.entries(each).flatMap(([name, value]) => (name.endsWith('_PASSWORD') ? [value] : [])),
  );
  expect(passwords).toHaveLength(2 * 4);
  for (const password of passwords) expect(password).toMatch(/^[0-9a-f]{32,}$/);
  expect(new Set(passwords).size).toBe(passwords.length);
});

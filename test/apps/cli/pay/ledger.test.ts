import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headSigner } from '../../../../infra/pay/signed-heads.ts';
import {
  type ChainedBook,
  newKey,
  openChainedBook,
  threeDays,
} from '../../../infra/postgres/pay/chained-book.ts';
import { navbatCommand } from '../../../support/command-line.ts';
import { testEnvironment } from '../../../support/environment.ts';

const key = newKey();
const publicOf = ({ kty, crv, x, kid }: typeof key) => ({ kty, crv, x, kid });
let ledger: ChainedBook;
let directory: string;
beforeAll(async () => {
  ledger = await openChainedBook({ key });
  await threeDays(ledger);
  directory = await mkdtemp(join(tmpdir(), 'heads-'));
});
afterAll(async () => {
  await ledger.close();
  await rm(directory, { recursive: true });
});

const file = async (name: string, text: string) => {
  await writeFile(join(directory, name), text);
  return join(directory, name);
};
const verify = (args: readonly string[], variables: Readonly<Record<string, string>> = {}) => {
  const given = {
    DATABASE_URL: ledger.database.url,
    SANDBOX_CLOCK: 'true',
    JWT_PRIVATE_JWK: JSON.stringify(key),
  };
  return navbatCommand(['ledger', 'verify', ...args], testEnvironment({ ...given, ...variables }));
};

test('a sound ledger ends with code 0, and says what was checked and what was not', async () => {
  const heads = await file(
    'heads.jws',
    `Ledger of yesterday\n${await ledger.jwsOf(0)}\n\n${await ledger.jwsOf(1)}\n`,
  );
  const { code, out, err } = await verify(['--from', heads, '--book', ledger.book]);
  expect(err).toBe('');
  expect(code).toBe(0);
  for (const said of [
    /^Book .*: 1600 transfers\.$/m,
    /^Blocks to 4, transfers to 1590 of 1600 …$/m,
    /^checked: 4 blocks, over transfers 1 to 1590; the newest head is [0-9a-f]{64}$/m,
    /^checked: 10 transfers \(from 1591\) are in no block yet: of them only balances, links, moves and the order of times were checked$/m,
    /^checked: \d+ accounts: /m,
    /^checked: 2 signed days; the newest, .*, ends with transfer 1550, head [0-9a-f]{64}$/m,
    /^checked: 2 signed heads that were kept outside$/m,
    /^No difference found\.$/m,
  ])
    expect(out).toMatch(said);
});

test('a difference is named, and ends with code 1', async () => {
  const client = await ledger.superuser.connect();
  await client.query('set session_replication_role = replica');
  await client.query(`update ledger_transfer set actor = 'somebody' where n = 501`);
  const { code, out, err } = await verify([]);
  await client.query(`update ledger_transfer set actor = 'test' where n = 501`);
  client.release(true);
  expect(code).toBe(1);
  expect(out).toMatch(
    /^DIFFERENCE: Block 1 \(transfers 1 to 1000\): transfer 501 differs from what was closed\. /m,
  );
  expect(out).not.toContain('No difference');
  expect(err).toMatch(/^1 difference\. Change nothing/);
  expect((await verify([])).code).toBe(0);
});

test('a database on which no process starts, since somebody changed it by hand, is verified all the same', async () => {
  await ledger.owner.query('alter table ledger_transfer enable row level security');
  const { out, code } = await verify([]);
  await ledger.owner.query('alter table ledger_transfer disable row level security');
  expect(out).toMatch(/^DIFFERENCE: ledger_transfer is no plain table/m);
  expect(code).toBe(1);
});

test('what was signed before a rotation is verified by the public key that was kept', async () => {
  const heads = await file('old.jws', await ledger.jwsOf(0));
  const next = { JWT_PRIVATE_JWK: JSON.stringify(newKey()) };
  const unknown = await verify(['--from', heads], next);
  expect([unknown.code, unknown.err]).toEqual([
    1,
    `${heads}, line 1 is signed by the key ${key.kid}, which is not in JWT_PRIVATE_JWK or JWT_PREVIOUS_JWKS. Give its public key with --keys.\n`,
  ]);
  const days = await verify([], next);
  expect(days.code).toBe(1);
  expect(days.out).toMatch(
    new RegExp(
      `^DIFFERENCE: Day .*: it is signed by the key ${key.kid}, which is not among the known ones`,
      'm',
    ),
  );
  const keys = await file('jwks.json', JSON.stringify({ keys: [publicOf(key)] }));
  expect((await verify(['--from', heads, '--keys', keys], next)).code).toBe(0);
  const previous = { ...next, JWT_PREVIOUS_JWKS: JSON.stringify([publicOf(key)]) };
  expect((await verify(['--from', heads], previous)).code).toBe(0);
});

test('a machine outside needs DATABASE_URL and the public keys, and no secret of the installation', async () => {
  const outside = (args: readonly string[]) =>
    navbatCommand(['ledger', 'verify', ...args], {
      NAVBAT_ENV_FILE: '',
      SANDBOX_CLOCK: 'true',
      DATABASE_URL: ledger.database.url,
    });
  const keys = await file('outside.json', JSON.stringify({ keys: [publicOf(key)] }));
  const heads = await file('outside.jws', await ledger.jwsOf(0));
  const sound = await outside(['--keys', keys, '--from', heads]);
  expect([sound.code, sound.err]).toEqual([0, '']);
  const without = await outside(['--from', heads]);
  expect([without.code, without.out]).toEqual([1, '']);
  expect(without.err).toMatch(/^No public key to check signatures with: give --keys/);
});

test('a book that is none is refused with those that are', async () => {
  for (const none of ['', 'shop', '00000000-0000-4000-8000-000000000000']) {
    const { code, err } = await verify(['--book', none]);
    expect([code, err]).toEqual([1, `There is no book "${none}". The books are: ${ledger.book}.\n`]);
  }
});

test('a file that is none, or that we did not sign, is refused with its line', async () => {
  const [head = '', payload = '', signature = ''] = (await ledger.jwsOf(0)).split('.');
  const changed = `${payload.slice(0, -2)}${payload.at(-2) === 'A' ? 'B' : 'A'}${payload.at(-1)}`;
  const stranger = { ...newKey(), kid: key.kid };
  const reading = await ledger.readHead(await ledger.jwsOf(0));
  const forged = await (await headSigner(stranger))(reading.kind === 'valid' ? reading.head : ({} as never));
  for (const [name, text, said] of [
    ['empty', 'nothing here\n', 'holds no signed head'],
    ['changed', `\n${head}.${changed}.${signature}`, 'line 2 is no head that this installation signed'],
    ['cut', `${head}.${payload}`, 'line 1 is no head'],
    ['forged', forged, 'line 1 is no head'],
  ] as const) {
    const { code, err } = await verify(['--from', await file(name, text)]);
    expect([code, err], name).toEqual([1, expect.stringContaining(said)]);
  }
  expect((await verify(['--from', join(directory, 'none')])).err).toContain("can't be read");
  expect((await verify(['--keys', await file('keys', '{}')])).err).toContain('is no JWK set');
});

test('a book that can not be read is a difference, and the others are verified', async () => {
  const poisoned = await ledger.newBook();
  const client = await ledger.superuser.connect();
  await client.query(
    `set session_replication_role = replica; alter table ledger_day drop constraint ledger_day_day_check`,
  );
  await client.query(
    `insert into ledger_day (project_id, day, k, n_to, totals, head, jws) values ($1, '-infinity', 0, 0, '{}', '', 'a.b.c')`,
    [poisoned],
  );
  const { code, out } = await verify([]);
  await client.query(`delete from ledger_day where day = '-infinity'`);
  client.release(true);
  expect(code).toBe(1);
  expect(out).toMatch(new RegExp(`^DIFFERENCE: Book ${poisoned} can't be verified: `, 'm'));
  expect(out).toMatch(/^checked: 4 blocks, over transfers 1 to 1590;/m);
});

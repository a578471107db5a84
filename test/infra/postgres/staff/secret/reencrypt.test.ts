import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reencryptAll } from '../../../../../domain/staff/secret/reencrypt.ts';
import type { KeyRing } from '../../../../../infra/process/config-values.ts';
import { rowEncryption } from '../../../../../infra/process/crypto.ts';
import { reencrypting } from '../../../../../infra/postgres/staff/secret/reencrypt.ts';
import { type Ground, makeProject, openGround } from '../../../../support/api.ts';

const keys = new Map(['s1', 's2', 's3'].map((kid) => [kid, randomBytes(32)]));
const ring = (...kids: readonly [string, ...string[]]): KeyRing => ({
  current: kids[0],
  keys: new Map([...keys].filter(([kid]) => kids.includes(kid))),
});
const [before, during, after] = [ring('s1'), ring('s2', 's1'), ring('s2')];

let ground: Ground;
let projectId: string;

beforeAll(async () => {
  ground = await openGround();
  projectId = (await makeProject(ground, 'shop')).project.id;
});
afterAll(() => ground.close());

const query = async (sql: string, values: unknown[] = []) => (await ground.owner.query(sql, values)).rows;

beforeEach(async () => {
  await query('delete from person; delete from webhook_secret; delete from staff; delete from job');
  await query('delete from recipient');
  // Kept by triggers.
  await query('alter table bank_file disable trigger user; delete from bank_file');
  await query('alter table bank_file enable trigger user');
  await query('alter table payout_link disable trigger user; delete from payout_link');
  await query('alter table payout_link enable trigger user');
  await query('alter table payout_destination disable trigger user; delete from payout_destination');
  await query('alter table payout_destination enable trigger user');
});

/** One encrypted value in each place there is: where it stands, what it is bound to, and how it is read. */
const seeds: Readonly<Record<string, (encrypt: (boundTo: string) => Buffer) => Promise<Reader>>> = {
  'recipient.push_token_encrypted': async (encrypt) => {
    const id = await insertRecipient(encrypt);
    return {
      boundTo: id,
      sql: 'select push_token_encrypted encrypted from recipient where id = $1',
      key: id,
    };
  },
  'webhook_secret.encrypted': async (encrypt) => {
    const id = randomUUID();
    await query(
      `insert into webhook_secret (id, project_id, mode, encrypted, created_at) values ($1, $2, 'live', $3, now())`,
      [id, projectId, encrypt(id)],
    );
    return { boundTo: id, sql: 'select encrypted from webhook_secret where id = $1', key: id };
  },
  'device.totp_encrypted': (encrypt) => insertDevice('totp_encrypted', encrypt),
  'device.totp_next_encrypted': (encrypt) => insertDevice('totp_next_encrypted', encrypt),
  'device.totp_previous_encrypted': (encrypt) => insertDevice('totp_previous_encrypted', encrypt),
  'staff.totp_encrypted': async (encrypt) => {
    const id = await insertStaff();
    await query(
      'update staff set totp_encrypted = $2, totp_bound_at = now(), totp_last_step = 1 where id = $1',
      [id, encrypt(id)],
    );
    return { boundTo: id, sql: 'select totp_encrypted encrypted from staff where id = $1', key: id };
  },
  'staff_session.totp_offer_encrypted': async (encrypt) => {
    const id = await insertStaff();
    await query(
      `insert into staff_session (token_hash, id, via, staff_id, created_at, expires_at, totp_offer_encrypted)
       values ($1, gen_random_uuid(), 'cookie', $2, now(), now(), $3)`,
      [randomBytes(32), id, encrypt(id)],
    );
    return {
      boundTo: id,
      sql: 'select totp_offer_encrypted encrypted from staff_session where staff_id = $1',
      key: id,
    };
  },
  'payout_destination.token_encrypted': async (encrypt) => {
    const id = randomUUID();
    await query('select ledger_book_open($1)', [projectId]);
    await query(
      `insert into payout_destination (id, project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       values ($1, $2, $1, 'multicard', $3, $4, '1234', now(), now())`,
      [id, projectId, encrypt(id), randomBytes(32)],
    );
    return {
      boundTo: id,
      sql: 'select token_encrypted encrypted from payout_destination where id = $1',
      key: id,
    };
  },
  'bank_file.content_encrypted': async (encrypt) => {
    const id = randomUUID();
    // What it is of, a dispatch of a batch, is of no interest here.
    for (const to of ['dispatch', 'batch'])
      await query(`alter table bank_file drop constraint if exists bank_file_${to}_id_fkey`);
    await query(
      `insert into bank_file (dispatch_id, batch_id, part, documents, total, sha256, content_encrypted, made_at)
       values ($1, $1, 1, 1, 1, $2, $3, now())`,
      [id, randomBytes(32), encrypt(id)],
    );
    return {
      boundTo: id,
      sql: 'select content_encrypted encrypted from bank_file where dispatch_id = $1',
      key: id,
    };
  },
  'payout_link.token_encrypted': async (encrypt) => {
    const id = randomUUID();
    await query('alter table payout_link drop constraint if exists payout_link_payout_id_fkey');
    await query(
      `insert into payout_link (id, payout_id, token_hash, is_reminder, made_at, expires_at, token_encrypted)
       values ($1, $1, $2, false, now(), now(), $3)`,
      [id, randomBytes(32), encrypt(id)],
    );
    return {
      boundTo: id,
      sql: 'select token_encrypted encrypted from payout_link where id = $1',
      key: id,
    };
  },
  'job.payload': async (encrypt) => {
    const id = randomUUID();
    const payload = { to: { by: 'token', token_encrypted: encrypt(id).toString('base64') }, other: 1 };
    await query(
      `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
       values ($1, 'push', $2, $1, $3, '{}', now(), now(), now())`,
      [id, projectId, payload],
    );
    const sql = `select payload->'to'->>'token_encrypted' encrypted from job where id = $1 and payload->'other' = '1'`;
    return { boundTo: id, sql, key: id };
  },
};

interface Reader {
  readonly boundTo: string;
  readonly sql: string;
  readonly key: string;
}

async function insertRecipient(encrypt: (boundTo: string) => Buffer): Promise<string> {
  const id = randomUUID();
  await query(
    `insert into recipient (id, project_id, address_hash, push_token_encrypted, created_at, updated_at) values ($1, $2, $3, $4, now(), now())`,
    [id, projectId, randomBytes(32), encrypt(id)],
  );
  return id;
}

async function insertDevice(column: string, encrypt: (boundTo: string) => Buffer): Promise<Reader> {
  const [id, personId] = [randomUUID(), randomUUID()];
  await query('insert into person (id, created_at) values ($1, now())', [personId]);
  await query(
    `insert into device (id, person_id, kind, name, totp_encrypted, created_at, bound_at) values ($1, $2, 'authenticator', 'A', $3, now(), now())`,
    [id, personId, encrypt(id)],
  );
  await query(`update device set ${column} = $2 where id = $1`, [id, encrypt(id)]);
  return { boundTo: id, sql: `select ${column} encrypted from device where id = $1`, key: id };
}

async function insertStaff(): Promise<string> {
  const id = randomUUID();
  await query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, 'admin', '', now())`,
    [id, `${id}@example.com`],
  );
  return id;
}

async function encryptedAt({ sql, key }: Reader): Promise<Buffer> {
  const [row] = await query(sql, [key]);
  return typeof row.encrypted === 'string' ? Buffer.from(row.encrypted, 'base64') : row.encrypted;
}
const kidOf = (encrypted: Buffer) => encrypted.subarray(1, 1 + (encrypted[0] ?? 0)).toString();

test('knows every column of the database that holds something encrypted', async () => {
  const rows = await query(
    `select table_name || '.' || column_name place from information_schema.columns
     where table_schema = 'public' and column_name ~ 'encrypted' and data_type = 'bytea'`,
  );
  const columns = rows.map(({ place }) => place);
  expect(columns.length).toBeGreaterThan(5);
  const known = reencrypting(ground.pool, during).places;
  expect(known).toEqual(expect.arrayContaining(columns));
  // And each is seeded below.
  expect(Object.keys(seeds).toSorted()).toEqual([...known].toSorted());
});

test.each(Object.keys(seeds))('%s opens with the new key alone, and says what it said', async (place) => {
  const seed = seeds[place];
  if (!seed) throw new Error('no seed');
  const reader = await seed((boundTo) => rowEncryption(before).encrypt(`secret of ${boundTo}`, boundTo));
  const { reencrypted, left } = await reencryptAll(reencrypting(ground.pool, during));
  expect(left).toEqual([]);
  expect(reencrypted.get(place)).toBe(1);
  const encrypted = await encryptedAt(reader);
  expect(kidOf(encrypted)).toBe('s2');
  expect(rowEncryption(after).decrypt(encrypted, reader.boundTo)).toBe(`secret of ${reader.boundTo}`);
  // Again, there is nothing to do.
  const again = await reencryptAll(reencrypting(ground.pool, during));
  expect([...again.reencrypted.values()].every((count) => count === 0)).toBe(true);
});

const insertRecipients = (count: number) =>
  Promise.all(
    Array.from({ length: count }, () =>
      insertRecipient((boundTo) => rowEncryption(before).encrypt(`token of ${boundTo}`, boundTo)),
    ),
  );

test('goes on in pages, and after a stop from where it stopped', async () => {
  await insertRecipients(1_203);
  const work = reencrypting(ground.pool, during);
  const first = await work.page('recipient.push_token_encrypted', null);
  expect(first).toMatchObject({ reencrypted: 500, next: expect.any(String) });
  expect(await work.left()).toEqual([{ place: 'recipient.push_token_encrypted', kid: 's1', values: 703 }]);
  const { reencrypted, left } = await reencryptAll(work);
  expect(left).toEqual([]);
  expect(reencrypted.get('recipient.push_token_encrypted')).toBe(703);
  const rows = await query('select id, push_token_encrypted from recipient');
  for (const { id, push_token_encrypted } of rows)
    expect(rowEncryption(after).decrypt(push_token_encrypted, id)).toBe(`token of ${id}`);
});

describe('what is written meanwhile stays', () => {
  /** `act` happens between the reading of a page and its writing. */
  function between(act: () => Promise<unknown>): pg.Pool {
    let queries = 0;
    const interrupted = {
      query: async (text: string, values: unknown[]) => {
        const result = await ground.pool.query(text, values);
        if (++queries === 1) await act();
        return result;
      },
    };
    return interrupted as unknown as pg.Pool;
  }

  test('a new value is not overwritten', async () => {
    const [id] = (await insertRecipients(1)) as [string];
    const fresh = rowEncryption(during).encrypt('another token', id);
    const pool = between(() =>
      query('update recipient set push_token_encrypted = $2 where id = $1', [id, fresh]),
    );
    await reencrypting(pool, during).page('recipient.push_token_encrypted', null);
    const [row] = await query('select push_token_encrypted from recipient where id = $1', [id]);
    expect(row.push_token_encrypted).toEqual(fresh);
  });

  test('what was taken away does not come back', async () => {
    const [id] = (await insertRecipients(1)) as [string];
    const pool = between(() => query('update recipient set push_token_encrypted = null where id = $1', [id]));
    await reencrypting(pool, during).page('recipient.push_token_encrypted', null);
    const [row] = await query('select push_token_encrypted from recipient where id = $1', [id]);
    expect(row.push_token_encrypted).toBeNull();
  });

  test('a row that somebody holds is waited for by nobody, and done by the next walk', async () => {
    const [held] = (await insertRecipients(2)) as [string, string];
    const holder = await ground.pool.connect();
    await holder.query('begin');
    await holder.query('select from recipient where id = $1 for update', [held]);
    const work = reencrypting(ground.pool, during);
    expect((await work.page('recipient.push_token_encrypted', null)).reencrypted).toBe(1);
    await holder.query('commit');
    holder.release();
    expect((await work.page('recipient.push_token_encrypted', null)).reencrypted).toBe(1);
  });
});

test('what can’t be opened is counted under its key, and keeps nothing else waiting', async () => {
  await insertRecipients(2);
  await insertRecipient((boundTo) => rowEncryption(ring('s3')).encrypt('lost', boundTo));
  const moved = await insertRecipient(() => rowEncryption(before).encrypt('of another row', randomUUID()));
  const { reencrypted, left, unreadable } = await reencryptAll(reencrypting(ground.pool, during));
  expect(reencrypted.get('recipient.push_token_encrypted')).toBe(2);
  // That is of values under the current key.
  expect(unreadable).toEqual(new Map());
  expect(left).toEqual([
    { place: 'recipient.push_token_encrypted', kid: 's1', values: 1 },
    { place: 'recipient.push_token_encrypted', kid: 's3', values: 1 },
  ]);
  const [row] = await query('select push_token_encrypted from recipient where id = $1', [moved]);
  expect(kidOf(row.push_token_encrypted)).toBe('s1');
});

test('what is damaged stops nothing: it is counted, under whatever it names as its key', async () => {
  await insertRecipients(1);
  await insertRecipient(() => Buffer.alloc(0));
  await insertRecipient(() => Buffer.from([2, 0xff, 0xfe, 1]));
  await insertRecipient(() => Buffer.from([200, 65]));
  const id = await seeds['job.payload']?.((boundTo) => rowEncryption(before).encrypt('token', boundTo));
  await query(`update job set payload = '{"to": {"by": "token", "token_encrypted": "=%"}}' where id = $1`, [
    id?.key,
  ]);
  const { reencrypted, left } = await reencryptAll(reencrypting(ground.pool, during));
  expect(reencrypted.get('recipient.push_token_encrypted')).toBe(1);
  const place = 'recipient.push_token_encrypted';
  expect(left).toHaveLength(4);
  expect(left).toEqual(
    expect.arrayContaining([
      { place, kid: null, values: 1 },
      { place, kid: '\\377\\376', values: 1 },
      { place, kid: 'A', values: 1 },
      { place: 'job.payload', kid: null, values: 1 },
    ]),
  );
});

test('a key of the same name and other bytes is told from the right one', async () => {
  await insertRecipients(2);
  const other = { current: 's1', keys: new Map([['s1', randomBytes(32)]]) };
  expect(await reencryptAll(reencrypting(ground.pool, other))).toMatchObject({
    left: [],
    unreadable: new Map([['recipient.push_token_encrypted', 2]]),
  });
  const right = await reencryptAll(reencrypting(ground.pool, before));
  expect(right.unreadable).toEqual(new Map());
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { canonicalBinds, type ProofBinds } from '../../../../domain/staff/proof.ts';
import { moveClock } from '../../../../infra/postgres/engine/clock.ts';
import { inTransaction } from '../../../../infra/postgres/engine/transaction.ts';
import { FAILED_LOGINS_MAX, LOCK_MINUTES } from '../../../../infra/postgres/staff/lock.ts';
import { later, now, STEP_MS, WRONG } from './open-staff.ts';
import { madeOf, nextStep, noProof, openProofs, ORIGIN, someBinds, someId } from './open-proofs.ts';
import { eventually } from '../../../support/eventually.ts';
import { softwarePasskey } from '../../../support/passkey.ts';

const { ground, accounts, factors, passkeys, proofs, newPerson, pendingOf, prove, use, addPasskey, blocked } =
  await openProofs();

afterEach(() => moveClock(ground.owner, 0));

const MINUTE_MS = 60_000;
const LIFE_MS = 5 * MINUTE_MS;

describe('a proof', () => {
  test('is kept as the text that was bound, its SHA-256, and since when its factor holds', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    const { rows } = await ground.pool.query('select * from staff_proof where id = $1', [id]);
    expect(rows[0]).toMatchObject({
      staff_id: person.id,
      by: 'totp',
      step: String(now.getTime() / STEP_MS),
      factor_at: later(-3_600_000),
      binds:
        '{"action":"board.read","count":2,"hash":"' +
        `${'a'.repeat(64)}","subject":"${someBinds.subject}","total":"41230000000","version":3}`,
      binds_hash: createHash('sha256').update(canonicalBinds(someBinds)).digest(),
      used_at: null,
    });
  });

  test('approves once', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    expect(await use(id, person.id, someBinds)).toBe('ok');
    expect(await use(id, person.id, someBinds)).toBe('used');
  });

  test('of fifty that use it at the same time, one does', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    const told = await Promise.all(Array.from({ length: 50 }, () => use(id, person.id, someBinds)));
    expect(told.filter((one) => one === 'ok')).toHaveLength(1);
    expect(told.filter((one) => one === 'used')).toHaveLength(49);
  });

  test('is unspent where what it approved was rolled back', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    const failing = inTransaction(ground.pool, async (tx) => {
      expect(await proofs.use(tx, { proofId: id, staffId: person.id, binds: someBinds })).toBe('ok');
      throw new Error('not paid');
    });
    await expect(failing).rejects.toThrow('not paid');
    expect(await use(id, person.id, someBinds)).toBe('ok');
  });

  test.each<[string, Partial<ProofBinds>]>([
    ['action', { action: 'ops.read' }],
    ['subject', { subject: someId() }],
    ['version', { version: 4 }],
    ['hash', { hash: 'b'.repeat(64) }],
    ['no hash', { hash: undefined }],
    ['count', { count: 3 }],
    ['no count', { count: undefined }],
    ['total, off by a tiyin', { total: '41230000001' }],
  ])('approves nothing of another %s, and is not spent by it', async (_what, other) => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    expect(await use(id, person.id, { ...someBinds, ...other })).toBe('other-subject');
    expect(await use(id, person.id, someBinds)).toBe('ok');
  });

  test("is nobody else's, and nothing once its maker is disabled", async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const { id } = await prove(person, someBinds);
    expect(await use(id, other.id, someBinds)).toBe('unknown');
    expect(await use(someId(), person.id, someBinds)).toBe('unknown');
    await accounts.disable(person.email, now);
    expect(await use(id, person.id, someBinds)).toBe('unknown');
  });

  test('is nothing once the second factor that made it was reset, with a new one too', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    expect(await accounts.resetSecondFactor(person.email)).toBe(true);
    expect(await use(id, person.id, someBinds)).toBe('unknown');
    await ground.pool.query(
      `update staff set totp_encrypted = 'x', totp_last_step = 0, totp_bound_at = now() where id = $1`,
      [person.id],
    );
    expect(await use(id, person.id, someBinds)).toBe('unknown');
  });

  test('approves for five minutes, and not half a second longer', async () => {
    const person = await newPerson();
    const [early, late] = [await prove(person, someBinds), await prove(person, someBinds, nextStep)];
    await moveClock(ground.owner, LIFE_MS - 1_000);
    expect(await use(early.id, person.id, someBinds)).toBe('ok');
    await moveClock(ground.owner, LIFE_MS + 500);
    expect(await use(late.id, person.id, someBinds)).toBe('stale');
  });

  test('that was made long after a transaction began does not look fresh in it', async () => {
    const person = await newPerson();
    await moveClock(ground.owner, LIFE_MS + MINUTE_MS);
    const { id } = await prove(person, someBinds);
    // As in a transaction whose clock stood still for six minutes.
    await moveClock(ground.owner, 0);
    expect(await use(id, person.id, someBinds)).toBe('stale');
  });
});

describe('in a transaction that was left open', () => {
  /** The clock as it was moved, at the begin of a transaction that then waits. */
  const leftOpen = async <T>(work: (tx: pg.PoolClient) => Promise<T>): Promise<T> =>
    inTransaction(ground.pool, async (tx) => {
      await tx.query('select pg_sleep(1)');
      return work(tx);
    });

  test('a proof grows old', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    await moveClock(ground.owner, LIFE_MS - 500);
    const told = leftOpen((tx) => proofs.use(tx, { proofId: id, staffId: person.id, binds: someBinds }));
    expect(await told).toBe('stale');
  });

  test('it is made, and used, at the time of the clock', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    const began = await leftOpen(async (tx) => {
      expect(await proofs.use(tx, { proofId: id, staffId: person.id, binds: someBinds })).toBe('ok');
      await tx.query(
        `insert into staff_proof (id, staff_id, by, step, factor_at, binds, binds_hash)
         select $2, staff_id, by, step + 1, factor_at, binds, binds_hash from staff_proof where id = $1`,
        [id, someId()],
      );
      return (await tx.query<{ at: Date }>('select now() at')).rows[0]?.at;
    });
    const { rows } = await ground.pool.query(
      `select used_at > $2::timestamptz + interval '900 ms' "usedLater", max(at) over () > $2::timestamptz + interval '900 ms' "madeLater"
       from staff_proof where staff_id = $1 order by at limit 1`,
      [person.id, began],
    );
    expect(rows).toEqual([{ usedLater: true, madeLater: true }]);
  });
});

describe('a code', () => {
  test('that logged in proves nothing, and one that proved logs nobody in', async () => {
    const person = await newPerson();
    const code = await person.app.codeAt(now);
    expect(await factors.pass(await pendingOf(person.id), code, now)).toMatchObject({ passed: true });
    const who = { staffId: person.id, browser: null };
    expect(await proofs.make(who, { code }, someBinds, now)).toEqual(noProof('used'));

    await prove(person, someBinds, nextStep);
    const again = await person.app.codeAt(nextStep);
    const pending = await pendingOf(person.id, nextStep);
    expect(await factors.pass(pending, again, nextStep)).toEqual({ passed: false, reason: 'used' });
  });

  test('shown twenty times at the same time proves once', async () => {
    const person = await newPerson();
    const code = await person.app.codeAt(now);
    const who = { staffId: person.id, browser: null };
    const made = await Promise.all(
      Array.from({ length: FAILED_LOGINS_MAX }, () => proofs.make(who, { code }, someBinds, now)),
    );
    expect(made.filter((one) => one.made)).toHaveLength(1);
  });

  test('of an earlier secret spends its step for the one that follows it', async () => {
    const person = await newPerson();
    await prove(person, someBinds);
    // As after a reset, which forgets the last step.
    await ground.pool.query('update staff set totp_last_step = 0 where id = $1', [person.id]);
    const who = { staffId: person.id, browser: null };
    const code = await person.app.codeAt(now);
    expect(await proofs.make(who, { code }, someBinds, now)).toEqual(noProof('used'));
  });

  test.each([
    ['a wrong one', WRONG, 'wrong'],
    ['what is none', 'hello', 'malformed'],
  ])('%s proves nothing', async (_what, code, reason) => {
    const { id } = await newPerson();
    expect(await proofs.make({ staffId: id, browser: null }, { code }, someBinds, now)).toEqual(
      noProof(reason),
    );
  });

  test('guessed too often locks proofs and the login together', async () => {
    const person = await newPerson();
    const who = { staffId: person.id, browser: null };
    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries += 1)
      await proofs.make(who, { code: WRONG }, someBinds, now);
    const right = { code: await person.app.codeAt(now) };
    expect(await proofs.make(who, right, someBinds, now)).toEqual(noProof('locked'));
    const pending = await pendingOf(person.id);
    expect(await factors.pass(pending, right.code, now)).toEqual({ passed: false, reason: 'locked' });
    const open = later(LOCK_MINUTES * MINUTE_MS);
    expect(await proofs.make(who, { code: await person.app.codeAt(open) }, someBinds, open)).toMatchObject({
      made: true,
    });
  });

  test('of recovery never proves, and is neither spent nor counted by it', async () => {
    const person = await newPerson();
    const [code = ''] = person.recoveryCodes;
    const who = { staffId: person.id, browser: null };
    expect(await proofs.make(who, { code }, someBinds, now)).toEqual(noProof('recovery-code'));
    const { rows } = await ground.pool.query(
      'select failed_logins, second_factor_failures from staff where id = $1',
      [person.id],
    );
    expect(rows[0]).toEqual({ failed_logins: 0, second_factor_failures: 0 });
    expect(await factors.pass(await pendingOf(person.id), code, now)).toMatchObject({
      passed: true,
      by: 'recovery-code',
    });
  });
});

describe('a passkey', () => {
  test.each(['ES256', 'EdDSA'] as const)('of %s proves what it signed, and nothing else', async (alg) => {
    const person = await newPerson();
    const key = await addPasskey(person, softwarePasskey(ORIGIN, alg));
    const who = { staffId: person.id, browser: null };
    const ask = async () => (await proofs.options(person.id, someBinds, now)) ?? {};

    const other = { ...someBinds, total: '41230000001' };
    expect(await proofs.make(who, { passkey: key.assert(await ask()) }, other, now)).toEqual(
      noProof('binds'),
    );
    const assertion = key.assert(await ask());
    const made = madeOf(await proofs.make(who, { passkey: assertion }, someBinds, now));
    expect(made.by).toBe('passkey');
    expect(await use(made.id, person.id, someBinds)).toBe('ok');
    // Answered once.
    expect(await proofs.make(who, { passkey: assertion }, someBinds, now)).toEqual(noProof('challenge'));
  });

  test('leaves what it signed: nonce, text and signature can be verified again', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const options = (await proofs.options(person.id, someBinds, now)) ?? {};
    const assertion = key.assert(options);
    const who = { staffId: person.id, browser: null };
    const { id } = madeOf(await proofs.make(who, { passkey: assertion }, someBinds, now));
    const { rows } = await ground.pool.query<{ binds: string; nonce: Buffer; assertion: typeof assertion }>(
      'select binds, nonce, assertion from staff_proof where id = $1',
      [id],
    );
    const [row] = rows;
    const signed = createHash('sha256')
      .update(row?.binds ?? '')
      .update(row?.nonce ?? '')
      .digest('base64url');
    const client = Buffer.from(row?.assertion.response.clientDataJSON ?? '', 'base64url').toString();
    expect(JSON.parse(client)).toMatchObject({ type: 'webauthn.get', challenge: signed });
    expect(row?.assertion.response.signature).toBe(assertion.response.signature);
  });

  test('is asked nothing where there is none', async () => {
    const { id } = await newPerson();
    expect(await proofs.options(id, someBinds, now)).toBeNull();
  });

  test('that is removed takes its proofs along', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const options = (await proofs.options(person.id, someBinds, now)) ?? {};
    const who = { staffId: person.id, browser: null };
    const { id } = madeOf(await proofs.make(who, { passkey: key.assert(options) }, someBinds, now));
    await ground.pool.query('update staff_passkey set removed_at = now() where id = $1', [key.passkeyId]);
    expect(await use(id, person.id, someBinds)).toBe('unknown');
  });

  test('that is removed proves nothing', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const options = (await proofs.options(person.id, someBinds, now)) ?? {};
    const [{ id, version } = { id: '', version: 0 }] = (
      await passkeys.list(person.id, { limit: 1, after: null })
    ).rows;
    const proof = await prove(person, { action: 'passkey.remove', subject: id, version }, nextStep);
    expect(await passkeys.remove(person.id, id, proof.id, now)).toEqual({ removed: true });
    const who = { staffId: person.id, browser: null };
    expect(await proofs.make(who, { passkey: key.assert(options) }, someBinds, now)).toEqual(
      noProof('passkey'),
    );
  });
});

describe('in SQL', () => {
  /** As the owner: triggers hold it too, where grants hold navbat_app. */
  const run = (sql: string, ...values: unknown[]) => ground.owner.query(sql, values);

  test('staff_proof_use takes what its own bytes bind, and raises NB023 for all else', async () => {
    const person = await newPerson();
    // A factor of today approves nothing in SQL.
    await run(`update staff set totp_bound_at = totp_bound_at - interval '2 days' where id = $1`, person.id);
    const { id } = await prove(person, someBinds);
    const use = `select staff_proof_use($1, $2, sha256(convert_to(staff_proof_binds($3, $4, $5, $6, $7, $8), 'UTF8'))) told`;
    const { action, subject, version, hash, count, total } = someBinds;
    const given = [action, subject, version, hash, count];
    await expect(run(use, id, person.id, ...given, '1')).rejects.toMatchObject({
      code: 'NB023',
      detail: 'other-subject',
    });
    expect((await run(use, id, person.id, ...given, total)).rows).toEqual([{ told: 'ok' }]);
    await expect(run(use, id, person.id, ...given, total)).rejects.toMatchObject({
      code: 'NB023',
      detail: 'used',
    });
  });

  test('binds are the same bytes as in TypeScript', async () => {
    const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
    const any = fc.record({
      action: fc.constantFrom('board.read' as const, 'passkey.remove' as const),
      // Postgres holds neither U+0000 nor half a surrogate pair.
      subject: fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
      version: fc.maxSafeNat(),
      hash: optional(fc.stringMatching(/^[0-9a-f]{64}$/)),
      count: optional(fc.maxSafeNat()),
      total: optional(fc.stringMatching(/^[0-9]{1,18}$/)),
    });
    await fc.assert(
      fc.asyncProperty(any, async (binds) => {
        const { action, subject, version, hash = null, count = null, total = null } = binds;
        const { rows } = await run(
          'select staff_proof_binds($1, $2, $3, $4, $5, $6) bytes',
          action,
          subject,
          version,
          hash,
          count,
          total,
        );
        expect(rows[0].bytes).toBe(canonicalBinds(binds));
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['changed', `update staff_proof set binds = binds where id = $1`],
    ['made younger', `update staff_proof set at = at + interval '1 hour', used_at = at where id = $1`],
    ['deleted', `delete from staff_proof where id = $1`],
  ])('a proof is not %s', async (_what, sql) => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    await expect(run(sql, id)).rejects.toMatchObject({ code: 'NB009' });
  });

  test.each([
    ['unspent again', `update staff_proof set used_at = null where id = $1`],
    ['spent at another time', `update staff_proof set used_at = used_at + interval '1 s' where id = $1`],
  ])('a proof that was spent is not %s', async (_what, sql) => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    expect(await use(id, person.id, someBinds)).toBe('ok');
    await expect(run(sql, id)).rejects.toMatchObject({ code: 'NB009' });
  });

  test.each([
    ['uses one without the function', `update staff_proof set used_at = at where id = $1`],
    ['deletes one', `delete from staff_proof where id = $1`],
    ['makes one younger', `insert into staff_proof (id, at) values ($1, now())`],
    ['empties the table', `truncate staff_proof`],
    ['stops its trigger', `alter table staff_proof disable trigger staff_proof_kept`],
    ['stops all triggers', `set session_replication_role = replica`],
    ['becomes the owner', `set role navbat_owner`],
    [
      'replaces the function',
      `create or replace function staff_proof_outcome(uuid, uuid, bytea) returns text language sql as $$ select 'ok' $$`,
    ],
  ])('navbat_app is refused where it %s', async (_what, sql) => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    const given = sql.includes('$1') ? [id] : [];
    await expect(ground.pool.query(sql, given)).rejects.toMatchObject({ code: '42501' });
  });

  test('nor are all of them emptied', async () => {
    await expect(run('truncate staff_proof cascade')).rejects.toMatchObject({
      code: 'NB009',
      message: 'a proof is kept as it was made',
    });
  });

  test('its time is of the database, and it is not born spent', async () => {
    const person = await newPerson();
    const { id } = await prove(person, someBinds);
    const copy = someId();
    await run(
      `insert into staff_proof select $2, staff_id, by, step + 1, passkey_id, nonce, assertion, factor_at, binds, binds_hash,
         at - interval '1 day', at from staff_proof where id = $1`,
      id,
      copy,
    );
    const { rows } = await run(
      `select used_at, at > navbat_now() - interval '1 minute' fresh from staff_proof where id = $1`,
      copy,
    );
    expect(rows).toEqual([{ used_at: null, fresh: true }]);
  });

  test('the functions run as their owner by a fixed search path, and nobody else may without a grant', async () => {
    const { rows } = await run(
      `select proname::text name, prosecdef definer, proconfig::text config, has_function_privilege('public', oid, 'execute') public
       from pg_proc where proname in ('staff_proof_outcome', 'staff_proof_use') order by 1`,
    );
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toMatchObject({ definer: true, public: false });
      expect(row.config).toContain('search_path=pg_catalog, public, pg_temp');
    }
  });
});

test('of two connections that hold their transactions open, the second is told that it is used', async () => {
  const person = await newPerson();
  const { id } = await prove(person, someBinds);
  const [first, second] = [new pg.Client(ground.databaseUrl), new pg.Client(ground.databaseUrl)];
  await Promise.all([first.connect(), second.connect()]);
  const ask = (client: pg.Client) =>
    client.query<{ told: string }>('select staff_proof_outcome($1, $2, $3) told', [
      id,
      person.id,
      createHash('sha256').update(canonicalBinds(someBinds)).digest(),
    ]);
  await first.query('begin');
  expect((await ask(first)).rows).toEqual([{ told: 'ok' }]);
  const waiting = ask(second);
  await eventually(async () => expect(await blocked()).toBe(1));
  await first.query('commit');
  expect((await waiting).rows).toEqual([{ told: 'used' }]);
  await Promise.all([first.end(), second.end()]);
});

test.each([
  ['totp', (id: string) => ['update staff set totp_bound_at = now() where id = $1', id] as const],
  [
    'passkey',
    (_id: string, key: string) => ['update staff_passkey set removed_at = now() where id = $1', key] as const,
  ],
])('a proof by %s that is used while its factor goes waits for that, and is nothing', async (by, gone) => {
  const person = await newPerson();
  const key = await addPasskey(person);
  const options = (await proofs.options(person.id, someBinds, now)) ?? {};
  const who = { staffId: person.id, browser: null };
  const { id } =
    by === 'totp'
      ? await prove(person, someBinds, nextStep)
      : madeOf(await proofs.make(who, { passkey: key.assert(options) }, someBinds, now));
  const removing = await ground.pool.connect();
  await removing.query('begin');
  const [sql, value] = gone(person.id, key.passkeyId);
  await removing.query(sql, [value]);
  const using = use(id, person.id, someBinds);
  await eventually(async () => expect(await blocked()).toBe(1));
  await removing.query('commit');
  removing.release();
  expect(await using).toBe('unknown');
});

test('a factor that goes while its proof is used waits until what was approved is committed', async () => {
  const person = await newPerson();
  const { id } = await prove(person, someBinds);
  const approving = await ground.pool.connect();
  await approving.query('begin');
  expect(await proofs.use(approving, { proofId: id, staffId: person.id, binds: someBinds })).toBe('ok');
  const reset = accounts.resetSecondFactor(person.email);
  await eventually(async () => expect(await blocked()).toBe(1));
  await approving.query('commit');
  approving.release();
  expect(await reset).toBe(true);
});

import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Batch, HOUR_MS, openPaying, UZS } from '../payout/paying.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const refused = (code: string, detail?: string) =>
  expect.objectContaining(detail === undefined ? { code } : { code, detail });

let pay: Awaited<ReturnType<typeof openPaying>>;
let checker: string;
beforeAll(async () => {
  pay = await openPaying();
});
beforeEach(async () => {
  checker = await pay.staff('finance');
});
afterEach(() => pay.moveClock(0));
afterAll(() => pay.close());

type Submitted = Awaited<ReturnType<typeof pay.submitted>>;
const approve = async (batch: Batch, by: string, read: Partial<Batch> = {}) =>
  pay.batches.approve(batch, by, await pay.proof(by, batch), read);

/** Nothing was approved: not the batch, and no proof was spent. */
async function stands(batch: Batch): Promise<void> {
  expect(await pay.batches.read(batch.id)).toMatchObject({ state: 'submitted', version: batch.version });
  expect(await pay.batches.actions(batch.id)).not.toContain('approve');
  expect(
    await pay.one('select count(*)::int n from staff_proof where used_at is not null and binds like $1', [
      `%${batch.id}%`,
    ]),
  ).toEqual({ n: 0 });
}

describe('a batch is not approved', () => {
  let s: Submitted;
  beforeEach(async () => {
    s = await pay.submitted();
  });
  const isRefused = async (code: string, attempt: Promise<unknown>, detail?: string) => {
    await expect(attempt).rejects.toEqual(refused(code, detail));
    await stands(s.batch);
  };

  test('by who made it', () => isRefused('NB021', approve(s.batch, s.maker)));

  test('by who dropped one line of it, and is an admin by now', async () => {
    const other = await pay.staff('finance');
    let batch = await pay.batches.withdraw(s.batch, s.maker);
    batch = await pay.batches.drop(batch, other, [1]);
    batch = await pay.batches.submit(batch, s.maker);
    await pay.owner.query(`update staff set role = 'admin' where id = $1`, [other]);
    await expect(approve(batch, other)).rejects.toEqual(refused('NB021'));
    await stands(batch);
  });

  test('by who withdrew or submitted it', async () => {
    const [withdrew, submitted] = [await pay.staff('finance'), await pay.staff('finance')];
    const batch = await pay.batches.submit(await pay.batches.withdraw(s.batch, withdrew), submitted);
    for (const by of [withdrew, submitted])
      await expect(approve(batch, by)).rejects.toEqual(refused('NB021'));
    await expect(approve(batch, checker)).resolves.toMatchObject({ state: 'approved' });
  });

  test('by who imported a list of which it has a line, or asked for a payout in it', async () => {
    const maker = await pay.staff('finance');
    for (const of of ['list', 'staff'] as const) {
      const importer = await pay.staff('finance');
      const payout = await imported(importer, of);
      const batch = await pay.batches.submit(
        await pay.batches.add(await pay.batches.create(maker), maker, [payout]),
        maker,
      );
      await expect(approve(batch, importer), of).rejects.toEqual(refused('NB021'));
      await expect(approve(batch, checker)).resolves.toMatchObject({ state: 'approved' });
    }
  });

  test.each(['operator', 'developer', 'viewer'])('by %s', async (role) =>
    isRefused('NB022', approve(s.batch, await pay.staff(role))),
  );

  test('by a finance account that is disabled, or that there is not', async () => {
    const proof = await pay.proof(checker, s.batch);
    await pay.pool.query('update staff set disabled_at = now() where id = $1', [checker]);
    await isRefused('NB022', pay.batches.approve(s.batch, checker, proof));
    await isRefused('NB022', pay.batches.approve(s.batch, randomUUID(), proof));
  });

  test('in a version that is not the newest, nor without one', async () => {
    await isRefused('NB020', approve(s.batch, checker, { version: s.batch.version - 1 }));
    await isRefused('NB020', approve({ ...s.batch, version: s.batch.version + 1 }, checker));
    const proof = await pay.proof(checker, s.batch);
    await isRefused(
      'NB020',
      pay.pool.query('select batch_approve($1, null, $2, $3, $4, $5, $6)', [
        s.batch.id,
        checker,
        s.batch.hash,
        s.batch.count,
        s.batch.total,
        proof,
      ]),
    );
  });

  test('by the hash of the version before', async () => {
    const before = s.batch;
    let batch = await pay.batches.withdraw(before, s.maker);
    batch = await pay.batches.submit(await pay.batches.drop(batch, s.maker, [2]), s.maker);
    await expect(approve(batch, checker, { hash: before.hash })).rejects.toEqual(refused('NB024'));
    await expect(approve({ ...batch, hash: before.hash }, checker)).rejects.toEqual(refused('NB024'));
    await stands(batch);
  });

  test('dropped and added again: it is another hash', async () => {
    const before = s.batch;
    let batch = await pay.batches.withdraw(before, s.maker);
    batch = await pay.batches.drop(batch, s.maker, [1]);
    batch = await pay.batches.add(batch, s.maker, [s.payouts[0]?.id ?? '']);
    batch = await pay.batches.submit(batch, s.maker);
    expect([batch.count, batch.total]).toEqual([before.count, before.total]);
    expect(batch.hash?.equals(before.hash ?? Buffer.alloc(0))).toBe(false);
    await expect(approve(batch, checker, { hash: before.hash })).rejects.toEqual(refused('NB024'));
  });

  test('where the count is right and the total is off by one tiyin, or the other way round', async () => {
    const { count, total } = s.batch;
    for (const read of [
      { total: `${BigInt(total) + 1n}` },
      { total: `${BigInt(total) - 1n}` },
      { count: count + 1 },
    ]) {
      await isRefused('NB024', approve(s.batch, checker, read));
      await isRefused('NB024', approve({ ...s.batch, ...read }, checker));
    }
    await isRefused('NB024', approve(s.batch, checker, { hash: null }));
  });

  test('by a proof that is 5 min 1 s old; by one of 4 min 59 s it is', async () => {
    const proof = await pay.proof(checker, s.batch);
    await pay.moveClock(5 * MINUTE_MS + SECOND_MS);
    await isRefused('NB023', pay.batches.approve(s.batch, checker, proof), 'stale');
    await pay.moveClock(5 * MINUTE_MS - SECOND_MS);
    await expect(pay.batches.approve(s.batch, checker, proof)).resolves.toMatchObject({ state: 'approved' });
  });

  test.each([
    ['another batch', { subject: randomUUID() }],
    ['another version', { version: 99 }],
    ['another hash', { hash: randomBytes(32) }],
    ['another count', { count: 1 }],
    ['another total', { total: '1' }],
  ])('by a proof of %s', async (_what, differs) =>
    isRefused(
      'NB023',
      pay.batches.approve(s.batch, checker, await pay.proof(checker, s.batch, differs)),
      'other-subject',
    ),
  );

  test("by a proof of somebody else's, by none, and by one twice", async () => {
    const others = await pay.proof(await pay.staff('finance'), s.batch);
    await isRefused('NB023', pay.batches.approve(s.batch, checker, others), 'unknown');
    await isRefused('NB023', pay.batches.approve(s.batch, checker, randomUUID()), 'unknown');
    const proof = await pay.proof(checker, s.batch);
    await pay.pool.query(
      'select staff_proof_outcome(p.id, p.staff_id, p.binds_hash) from staff_proof p where p.id = $1',
      [proof],
    );
    await expect(pay.batches.approve(s.batch, checker, proof)).rejects.toEqual(refused('NB023', 'used'));
  });

  test('by a recovery code: no proof is made of one', async () => {
    await expect(
      pay.pool.query(
        `insert into staff_proof (id, staff_id, by, step, factor_at, binds, binds_hash)
         values ($1, $2, 'recovery-code', null, $3, '{}', sha256('{}'))`,
        [randomUUID(), checker, new Date(0)],
      ),
    ).rejects.toMatchObject({ code: '23514', constraint: 'staff_proof_by_check' });
  });

  test('by an account that was made 23 h ago, or whose second factor was set an hour ago; a day old it may', async () => {
    const fresh = await pay.staff('finance', { hours: 23 });
    await isRefused('NB026', approve(s.batch, fresh));
    const reset = await pay.staff('admin', { factorHours: 1 });
    await isRefused('NB026', approve(s.batch, reset));
    const passkey = await pay.proof(checker, s.batch, { factorHours: 23 });
    await isRefused('NB026', pay.batches.approve(s.batch, checker, passkey));
    await pay.moveClock(HOUR_MS + MINUTE_MS);
    await expect(approve(s.batch, fresh)).resolves.toMatchObject({ state: 'approved' });
  });

  test.each(['phone', 'person', 'card'] as const)("that pays its approver's %s", async (by) => {
    const [first] = s.payouts;
    await pay.pool.query('select payout_handler_declare($1, $2, null)', [
      checker,
      await phoneOf(by, first?.person),
    ]);
    await isRefused('NB025', approve(s.batch, checker));
    await expect(approve(s.batch, await pay.staff('finance'))).resolves.toMatchObject({ state: 'approved' });
  });

  test('that pays its maker: it is not even submitted', async () => {
    const [first] = s.payouts;
    const draft = await pay.batches.withdraw(s.batch, s.maker);
    await pay.pool.query('select payout_handler_declare($1, $2, null)', [s.maker, first?.person.phone]);
    await expect(pay.batches.submit(draft, s.maker)).rejects.toEqual(refused('NB025'));
  });

  test('in which a destination was removed, or a person blocked, after it was submitted', async () => {
    const [first, second] = s.payouts;
    await pay.pool.query('select payout_destination_remove($1, $2)', [first?.person.card, first?.person.id]);
    await isRefused('NB011', approve(s.batch, checker), 'destination-gone');
    const draft = await pay.batches.reject(s.batch, checker);
    const thief = await pay.person(UZS);
    await pay.pool.query('update person_phone set person_id = $2 where person_id = $1', [
      second?.person.id,
      thief.id,
    ]);
    const batch = await pay.batches.drop(draft, s.maker, [1]);
    await expect(pay.batches.submit(batch, s.maker)).rejects.toEqual(refused('NB011', 'blocked'));
  });

  test('before it is submitted, nor again after it was', async () => {
    const draft = await pay.batches.withdraw(s.batch, s.maker);
    await expect(approve({ ...draft, hash: s.batch.hash }, checker)).rejects.toEqual(
      refused('NB027', 'draft'),
    );
    const approved = await approve(await pay.batches.submit(draft, s.maker), checker);
    await expect(approve(approved, await pay.staff('admin'))).rejects.toEqual(refused('NB027', 'approved'));
  });

  test('that there is not', () =>
    expect(approve({ ...s.batch, id: randomUUID() }, checker)).rejects.toEqual(refused('NB028')));
});

/** A payout that somebody of staff brought in, with a card already. */
async function imported(by: string, of: 'list' | 'staff'): Promise<string> {
  const phone = pay.nextPhone();
  const card = await pay.destination({ phone });
  const { rows } = await pay.owner.query<{ id: string }>(
    `with list as (
       insert into payout_list (project_id, funder, name, sha256, lines, total, imported_by, at)
         select $1, $1, 'bonus', $2, 1, 2000000, $3, now() where $6 returning id)
     insert into payout (project_id, source, funder, phone, list_id, list_line, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
       select $1, case when $6 then 'list' else 'api' end, $1, $4, list.id, case when $6 then 1 end, $5, 'multicard', 2000000, 0, 2000000,
              'pending', $7, now(), now() from (values (1)) one left join list on true returning id`,
    [
      pay.projectId,
      randomBytes(32),
      by,
      phone,
      card,
      of === 'list',
      `staff:${of === 'staff' ? by : randomUUID()}`,
    ],
  );
  return rows[0]?.id ?? '';
}

/** Of a handler who is this payee: by the phone itself, by a second phone of the same person, or by a card that both have bound. */
async function phoneOf(
  by: 'phone' | 'person' | 'card',
  payee: Awaited<ReturnType<typeof pay.person>> | undefined,
) {
  if (!payee) throw new Error('nobody is paid');
  if (by === 'phone') return payee.phone;
  const phone = pay.nextPhone();
  if (by === 'person')
    await pay.pool.query(
      `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
      [randomBytes(32), payee.id, phone],
    );
  else {
    const { holder } = await pay.one<{ holder: Buffer }>(
      'select holder_hash holder from payout_destination where id = $1',
      [payee.card],
    );
    await pay.destination({ phone }, { holder });
  }
  return phone;
}

describe('approvals', () => {
  test('of two at once, where one is needed, one counts', async () => {
    const { batch } = await pay.submitted();
    const second = await pay.staff('admin');
    const proofs = [await pay.proof(checker, batch), await pay.proof(second, batch)] as const;
    const both = await pay.atOnce('payout_batch', batch.id, [
      () => pay.batches.approve(batch, checker, proofs[0]),
      () => pay.batches.approve(batch, second, proofs[1]),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused('NB020') });
    expect((await pay.batches.actions(batch.id)).filter((action) => action === 'approve')).toHaveLength(1);
  });

  test('of the same person, twice at once with two proofs, one counts, though two are needed', async () => {
    const { batch } = await pay.submitted(large);
    const proofs = [await pay.proof(checker, batch), await pay.proof(checker, batch)] as const;
    const both = await pay.atOnce(
      'payout_batch',
      batch.id,
      proofs.map((proof) => () => pay.batches.approve(batch, checker, proof)),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused('NB021') });
    expect(await pay.batches.read(batch.id)).toMatchObject({ state: 'submitted' });
  });

  test('are one up to 100 M UZS, and two above', async () => {
    const { batch: small } = await pay.submitted(large.slice(0, -1));
    expect(small.total).toBe(`${100_000_000n * UZS}`);
    expect(await approve(small, checker)).toMatchObject({ state: 'approved' });
    const { batch } = await pay.submitted(large);
    expect(await approve(batch, checker)).toMatchObject({ state: 'submitted', version: batch.version });
    expect(await approve(batch, await pay.staff('admin'))).toMatchObject({
      state: 'approved',
      version: batch.version + 1,
    });
  });

  test('of a version that was taken back count no more', async () => {
    const { batch, maker } = await pay.submitted(large);
    await approve(batch, checker);
    const again = await pay.batches.submit(await pay.batches.reject(batch, checker), maker);
    expect(again.hash?.equals(batch.hash ?? Buffer.alloc(0))).toBe(true);
    await approve(again, await pay.staff('admin'));
    expect(await pay.batches.read(batch.id)).toMatchObject({ state: 'submitted' });
  });

  test('name what was approved, by which proof', async () => {
    const { batch } = await pay.submitted();
    const proof = await pay.proof(checker, batch);
    await pay.batches.approve(batch, checker, proof);
    expect(
      await pay.one(
        `select staff_id, version, hash, count, total, proof_id from payout_action where batch_id = $1 and action = 'approve'`,
        [batch.id],
      ),
    ).toEqual({
      staff_id: checker,
      version: batch.version,
      hash: batch.hash,
      count: batch.count,
      total: batch.total,
      proof_id: proof,
    });
  });
});

describe('an approval counts while its approver is one of two people', () => {
  /** What becomes of an approver afterwards. */
  const ends: readonly (readonly [string, string])[] = [
    ['whose account was disabled', `update staff set disabled_at = now() where id = $1`],
    ['who has another role', `update staff set role = 'operator' where id = $1`],
    [
      'whose second factor was reset',
      `update staff set totp_encrypted = null, totp_last_step = null, totp_bound_at = null where id = $1`,
    ],
  ];
  const emailOf = (id: string) => `${id}@example.com`;

  test.each(ends)('as the first of two: not of one %s', async (_who, end) => {
    const { batch } = await pay.submitted(large);
    await approve(batch, checker);
    await pay.owner.query(end, [checker]);
    const second = await pay.staff('finance');
    expect(await approve(batch, second)).toMatchObject({ state: 'submitted', version: batch.version });
    expect(await approve(batch, await pay.staff('admin'))).toMatchObject({ state: 'approved' });
  });

  test.each(ends)(
    'as it is run or planned: not of one %s, until another person approves',
    async (_who, end) => {
      const { batch, maker } = await pay.submitted();
      const approved = await approve(batch, checker);
      await pay.owner.query(end, [checker]);
      const gone = refused('NB034', emailOf(checker));
      await expect(pay.batches.run(approved, maker)).rejects.toEqual(gone);
      await expect(pay.batches.run(approved, maker, new Date(Date.now() + HOUR_MS))).rejects.toEqual(gone);
      expect(await pay.batches.read(batch.id)).toMatchObject({
        state: 'approved',
        version: approved.version,
      });
      await expect(approve(approved, maker)).rejects.toEqual(refused('NB021'));
      const again = await approve(approved, await pay.staff('admin'));
      expect(again).toMatchObject({ state: 'approved', version: approved.version + 1 });
      expect(await pay.batches.run(again, maker)).toMatchObject({ state: 'running' });
    },
  );

  test('as it is resumed: a batch that was paused, with lines on their way, is approved anew', async () => {
    const { batch, maker } = await pay.submitted();
    const running = await pay.batches.run(await approve(batch, checker), maker);
    await pay.pool.query(`select dispatch_start('multicard', 100)`);
    const paused = await pay.batches.pause(running, maker);
    await pay.owner.query('update staff set disabled_at = now() where id = $1', [checker]);
    await expect(pay.batches.resume(paused, maker)).rejects.toEqual(refused('NB034', emailOf(checker)));
    const again = await approve(paused, await pay.staff('finance'));
    expect(again).toMatchObject({ state: 'paused', version: paused.version + 1 });
    expect(await pay.batches.resume(again, maker)).toMatchObject({ state: 'running' });
  });

  test('as its time has come: the plan ends, and says why', async () => {
    const { batch, maker } = await pay.submitted();
    const planned = await pay.batches.run(
      await approve(batch, checker),
      maker,
      new Date(Date.now() + HOUR_MS),
    );
    await pay.owner.query('update staff set disabled_at = now() where id = $1', [checker]);
    await pay.moveClock(HOUR_MS + MINUTE_MS);
    expect((await pay.pool.query('select batch_run_due(100)')).rows).toEqual([]);
    expect(await pay.batches.read(batch.id)).toMatchObject({
      state: 'approved',
      version: planned.version + 1,
    });
    expect(
      await pay.one(`select reason from payout_action where batch_id = $1 and action = 'plan-ended'`, [
        batch.id,
      ]),
    ).toEqual({ reason: 'an approval counts no more: another person approves' });
  });

  test('and is not given anew by the same person, nor where none is missing', async () => {
    const { batch } = await pay.submitted();
    const approved = await approve(batch, checker);
    await expect(approve(approved, await pay.staff('admin'))).rejects.toEqual(refused('NB027', 'approved'));
    await pay.owner.query(`update staff set totp_bound_at = now() - interval '26 hours' where id = $1`, [
      checker,
    ]);
    await expect(approve(approved, checker)).rejects.toEqual(refused('NB021'));
  });

  test('and not of a version that was taken back, though the clock was set back since', async () => {
    const { batch, maker } = await pay.submitted(large);
    await approve(batch, checker);
    await pay.moveClock(-HOUR_MS);
    const again = await pay.batches.submit(await pay.batches.withdraw(batch, maker), maker);
    await pay.moveClock(0);
    expect(await approve(again, await pay.staff('admin'))).toMatchObject({ state: 'submitted' });
  });
});

/** 100 M UZS, and 10 000 more. */
const large = [...Array.from({ length: 20 }, () => 5_000_000n * UZS), 10_000n * UZS];

describe('what was submitted', () => {
  test('takes no line and loses none, as whoever it is asked', async () => {
    const { batch, maker } = await pay.submitted();
    const { id } = await pay.pending();
    await expect(pay.batches.add(batch, maker, [id])).rejects.toEqual(refused('NB027', 'submitted'));
    await expect(pay.batches.drop(batch, maker, [1])).rejects.toEqual(refused('NB027', 'submitted'));
    for (const sql of [
      `insert into payout_item (batch_id, n, payout_id, net, token_hash, last4) select $1, 9, payout_id, net, token_hash, last4 from payout_item where batch_id = $1 limit 1`,
      `update payout_item set state = 'dropped' where batch_id = $1`,
      `update payout_item set token_hash = sha256('other') where batch_id = $1`,
      `update payout_item set net = net + 1 where batch_id = $1`,
      `update payout_batch set total = total + 1 where id = $1`,
      `update payout_batch set content_hash = sha256('other') where id = $1`,
      `update payout_batch set approvals_needed = 1 + approvals_needed % 2 where id = $1`,
      `delete from payout_item where batch_id = $1`,
      `update payout set destination_id = (select destination_id from payout where id <> p.payout_id and destination_id is not null limit 1)
         from payout_item p where p.batch_id = $1 and payout.id = p.payout_id`,
      `update payout_destination set holder_hash = sha256('other') where id in (
         select destination_id from payout join payout_item i on i.payout_id = payout.id where i.batch_id = $1)`,
    ]) {
      await expect(pay.owner.query(sql, [batch.id]), sql).rejects.toMatchObject({
        code: expect.stringMatching(/^NB0(09|27|30)$/),
      });
      await expect(pay.pool.query(sql, [batch.id]), sql).rejects.toEqual(refused('42501'));
    }
  });

  test('and changed past the triggers by the owner is neither approved, run nor resumed', async () => {
    const change = async (batch: Batch) => {
      await pay.owner.query('alter table payout_item disable trigger user');
      await pay.owner.query(
        `update payout_item set token_hash = sha256('other') where batch_id = $1 and n = 1`,
        [batch.id],
      );
      await pay.owner.query('alter table payout_item enable trigger user');
    };
    const { batch } = await pay.submitted();
    await change(batch);
    await expect(approve(batch, checker)).rejects.toEqual(refused('NB024'));
    const approved = await approve((await pay.submitted()).batch, checker);
    const running = await pay.batches.run(await approve((await pay.submitted()).batch, checker), checker);
    const paused = await pay.batches.pause(running, checker);
    await change(approved);
    await expect(pay.batches.run(approved, checker)).rejects.toEqual(refused('NB024'));
    await change(paused);
    await expect(pay.batches.resume(paused, checker)).rejects.toEqual(refused('NB024'));
  });
});

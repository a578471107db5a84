import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PayoutId } from '../../../../domain/pay/ids.ts';
import { payoutReads } from '../../../../infra/postgres/pay/finance/payouts.ts';
import { payOps } from '../../../../infra/postgres/pay/ops-view.ts';
import { openDispatchWorld, FEE, GROSS, type Payee } from './dispatch-world.ts';
import { openingProof, proofBy, settlingProof } from './proofs.ts';

const MICROS = 10_000n;
const answers = (status: 'draft' | 'success' | 'error' | 'absent' | 'revert' | 'progress') =>
  ({ kind: 'answered', status }) as const;
const ARROW = { code: 'NB030' };

let world: Awaited<ReturnType<typeof openDispatchWorld>>;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterAll(async () => {
  await world.close();
});

const one = async () => {
  const { id, payees } = await world.batch(1);
  await world.start();
  const [[dispatch], [payee]] = [await world.dispatches(id), payees];
  if (!dispatch || !payee) throw new Error('nothing was started');
  return { batchId: id, id: dispatch.id, payee };
};
/** A confirmation is under way: its call. */
const confirming = async () => {
  const made = await one();
  const draft = await world.claim(made.id);
  const { call } = await world.move(made.id, draft.call, answers('draft'), 'drafted', {
    rail_uuid: `rail-${made.id}`,
    commission: 700,
    confirms: true,
  });
  return { ...made, call };
};
const setBatch = (id: string, state: string) =>
  world.owner.query('update payout_batch set state = $2 where id = $1', [id, state]);
const balancesOf = async ({ available, held }: Payee) => [
  await world.balance(available),
  await world.balance(held),
];

describe('starting', () => {
  test('makes a dispatch, a job and a turn an item, from running batches in turn, up to so many that wait', async () => {
    const [first, second] = [await world.batch(5), await world.batch(5)];
    expect(await world.start(6)).toBe(6);
    expect(
      [await world.dispatches(first.id), await world.dispatches(second.id)].map(({ length }) => length),
    ).toEqual([3, 3]);
    expect(await world.start(6)).toBe(0);
    expect(await world.start(8)).toBe(2);
    const { rows } = await world.pool.query(
      `select j.kind, j.state, j.scheduled_at, j.subject_id = d.id own, j.labels ->> 'card' card, extract(year from j.deadline_at)::int held
       from payout_dispatch d join job j on j.id = d.job_id where d.batch_id = $1`,
      [first.id],
    );
    expect(rows).toEqual(
      Array.from({ length: 4 }, () => ({
        kind: 'payout',
        state: 'queued',
        scheduled_at: null,
        own: true,
        card: '•••• 1234',
        held: 9999,
      })),
    );
    await setBatch(first.id, 'paused');
    await setBatch(second.id, 'paused');
    expect(await world.start(1_000)).toBe(0);
  });

  test('twice at once makes each dispatch once', async () => {
    const { id } = await world.batch(8);
    const made = await Promise.all([1, 2, 3, 4].map(() => world.start(5_000)));
    expect(made.reduce((sum, count) => sum + count, 0)).toBe(8);
    expect(await world.dispatches(id)).toHaveLength(8);
    await setBatch(id, 'paused');
  });

  test('a hundred running batches whose payments are on their way do not keep another one from beginning', async () => {
    const made: string[] = [];
    for (let i = 0; i < 101; i++) made.push((await world.batch(1)).id);
    await world.start();
    await world.start();
    const { rows } = await world.pool.query(
      `select from payout_item where batch_id = any($1) and state = 'ready'`,
      [made],
    );
    expect(rows).toEqual([]);
  });
});

describe('claiming', () => {
  test('opens the first call with a reference of its own, once: of eight at once one has it', async () => {
    const { id } = await one();
    const row = await world.dispatch(id);
    const all = await Promise.all(Array.from({ length: 8 }, () => world.claimAll([row])));
    const got = all.flat().filter(({ refusal }) => refusal === null);
    expect(got).toMatchObject([{ call: 1, attempt: 1, reference: `${id}-1` }]);
    expect(got[0]?.token_encrypted?.length).toBeGreaterThan(32);
    expect(all.flat().filter(({ refusal }) => refusal === 'lost')).toHaveLength(7);
    expect(await world.dispatch(id)).toMatchObject({ state: 'drafting', attempt: 1 });
    await world.move(id, 1, { kind: 'unsent' }, 'waiting');
    // It waits again, and what was decided before is not done.
    expect(await world.claimAll([row])).toMatchObject([{ refusal: 'lost' }]);
  });

  test('is refused while the batch is paused, or the rail or all rails are stopped', async () => {
    const { id, batchId } = await one();
    await setBatch(batchId, 'paused');
    expect(await world.claim(id)).toMatchObject({ refusal: 'paused', call: null });
    await setBatch(batchId, 'running');
    for (const rail of ['multicard', 'all']) {
      await world.pool.query('select rail_stop($1, $2, $3)', [rail, world.maker, 'test']);
      expect(await world.claim(id)).toMatchObject({ refusal: 'stopped' });
      await world.owner.query('update rail set stopped_at = null, stopped_by = null, reason = null');
    }
    expect(await world.claim(id)).toMatchObject({ refusal: null });
  });

  test.each([
    ['destination-gone', 'update payout_destination set removed_at = now() where id = $1'],
    ['destination-distrusted', 'update payout_destination set distrusted_at = now() where id = $1'],
    [
      'blocked',
      `insert into payout_block (person_id, reason, made_at) select person_id, 'test', now() from payout_destination where id = $1`,
    ],
    [
      'destination-changed',
      `alter table payout_destination disable trigger user; update payout_destination set holder_hash = sha256('other') where id = '$1'; alter table payout_destination enable trigger user`,
    ],
  ])('is refused with %s, and the payout then fails and gives its money back', async (why, sql) => {
    const { id, payee } = await one();
    await (sql.includes('alter')
      ? world.owner.query(sql.replace('$1', payee.destinationId))
      : world.owner.query(sql, [payee.destinationId]));
    expect(await world.claim(id)).toMatchObject({ refusal: why, token_encrypted: null });
    await world.move(id, null, null, 'failed', { reason: why });
    expect(await world.stateOf(payee)).toEqual({
      payout: 'failed',
      item: 'failed',
      reason: why,
      told: ['receipt-failed'],
    });
    expect(await balancesOf(payee)).toEqual([GROSS * MICROS, 0n]);
  });

  test('never has more under way than the rail may, over many at once', async () => {
    await world.owner.query(`update rail set exposure_max = 10 where id = 'multicard'`);
    const { rows } = await world.pool.query<{ n: number }>(
      `select count(*)::int n from payout_dispatch where state in ('drafting', 'drafted', 'confirming', 'unknown', 'asking')`,
    );
    const before = rows[0]?.n ?? 0;
    // Claims of one batch wait for each other anyway.
    const batches = await Promise.all(Array.from({ length: 10 }, () => world.batch(2)));
    await world.start();
    const items = (await Promise.all(batches.map(({ id }) => world.dispatches(id)))).flat();
    const all = await Promise.all(items.map((item) => world.claimAll([item])));
    expect(all.flat().filter(({ refusal }) => refusal === null)).toHaveLength(10 - before);
    expect(all.flat().filter(({ refusal }) => refusal === 'full')).toHaveLength(10 + before);
    for (const { id } of batches) await setBatch(id, 'paused');
    await world.owner.query(`update rail set exposure_max = 1000 where id = 'multicard'`);
  });
});

describe('stopping', () => {
  test('no claim and no confirmation is committed after its answer, however many are under way', async () => {
    const { id } = await world.batch(40);
    await world.start();
    const items = await world.dispatches(id);
    let stoppedAt = Number.POSITIVE_INFINITY;
    const late: string[] = [];
    const claims = items.map(async (item, n) => {
      await new Promise((resolve) => setTimeout(resolve, n * 2));
      const begunAt = performance.now();
      const [claimed] = await world.claimAll([item]);
      if (claimed?.refusal === null && begunAt > stoppedAt) late.push(item.id);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await world.pool.query('select rail_stop($1, $2, $3)', ['multicard', world.maker, 'test']);
    stoppedAt = performance.now();
    const { rows: atStop } = await world.pool.query<{ n: number }>('select count(*)::int n from rail_call');
    await Promise.all(claims);
    const { rows: after } = await world.pool.query<{ n: number }>('select count(*)::int n from rail_call');
    expect(late).toEqual([]);
    expect(after).toEqual(atStop);
    const claimed = (await world.dispatches(id)).find(({ state }) => state === 'drafting');
    if (!claimed) throw new Error('none was claimed before the stop');
    expect(
      await world.move(claimed.id, 1, answers('draft'), 'drafted', {
        rail_uuid: `rail-${claimed.id}`,
        confirms: true,
      }),
    ).toEqual({ result: 'moved', call: null });
    await world.owner.query('update rail set stopped_at = null, stopped_by = null, reason = null');
    await setBatch(id, 'paused');
  });
});

describe('the end of a payment', () => {
  test('paid: what was held leaves for the rail and the fee, its commission is ours, and the payee is told, once', async () => {
    const clearing = await world.balance(world.clearing);
    const fee = await world.balance(world.fee);
    const { id, payee, call } = await confirming();
    expect(await world.dispatch(id)).toMatchObject({ state: 'confirming' });
    expect(await world.move(id, call, answers('success'), 'paid')).toMatchObject({ result: 'moved' });
    expect(await world.stateOf(payee)).toEqual({
      payout: 'paid',
      item: 'paid',
      reason: null,
      told: ['receipt-paid'],
    });
    expect(await balancesOf(payee)).toEqual([0n, 0n]);
    expect((await world.balance(world.clearing)) - clearing).toBe((GROSS - FEE + 700n) * MICROS);
    expect((await world.balance(world.fee)) - fee).toBe(FEE * MICROS);
    const { rows } = await world.pool.query(
      'select key from ledger_transfer where subject_id in ($1, $2) order by key',
      [payee.payoutId, id],
    );
    expect(rows).toEqual(
      [
        `commission:${id}`,
        `fee:${payee.payoutId}`,
        `hold:${payee.payoutId}`,
        `resolve:${payee.payoutId}`,
      ].map((key) => ({ key })),
    );
    const shown = await payoutReads(world.pool, world.projectId).transfers(PayoutId.parse(payee.payoutId));
    expect(shown.map(({ kind }) => kind)).toEqual(['hold', 'pay', 'fee']);
    // The answer was lost, and it is closed again.
    expect(await world.move(id, call, answers('success'), 'paid')).toMatchObject({ result: 'lost' });
  });

  test('it can not be paid without the rail having said so, nor fail before it said so twice, a minute apart', async () => {
    const { id, payee, call } = await confirming();
    await expect(world.move(id, call, answers('error'), 'paid')).rejects.toMatchObject(ARROW);
    await expect(world.move(id, call, answers('error'), 'failed')).rejects.toMatchObject(ARROW);
    await expect(world.move(id, call, { kind: 'unknown' }, 'waiting')).rejects.toMatchObject(ARROW);
    await world.move(id, call, { kind: 'unknown' }, 'unknown');
    const first = await world.claim(id, 'read');
    await world.move(id, first.call, answers('error'), 'unknown');
    await world.age(id, 59);
    const early = await world.claim(id, 'read');
    await expect(world.move(id, early.call, answers('error'), 'failed')).rejects.toMatchObject(ARROW);
    await world.move(id, early.call, answers('error'), 'unknown');
    expect(await balancesOf(payee)).toEqual([0n, GROSS * MICROS]);
    await world.age(id, 2);
    const second = await world.claim(id, 'read');
    await world.move(id, second.call, answers('error'), 'failed', { reason: 'rail-error' });
    expect(await world.stateOf(payee)).toMatchObject({
      payout: 'failed',
      item: 'failed',
      reason: 'rail-error',
    });
    expect(await balancesOf(payee)).toEqual([GROSS * MICROS, 0n]);
  });

  test('once it may have been confirmed it is never drafted anew, and confirmed again under its own uuid only', async () => {
    const { id, call } = await confirming();
    await world.move(id, call, { kind: 'unknown' }, 'unknown');
    await expect(world.claim(id)).rejects.toMatchObject(ARROW);
    await expect(world.claim(id, 'confirm')).rejects.toMatchObject(ARROW);
    const first = await world.claim(id, 'read');
    await world.move(id, first.call, answers('draft'), 'unknown');
    await expect(world.move(id, null, null, 'waiting')).rejects.toMatchObject(ARROW);
    await world.age(id, 61);
    const second = await world.claim(id, 'read');
    await world.move(id, second.call, answers('draft'), 'unknown');
    const again = await world.claim(id, 'confirm');
    expect(again).toMatchObject({ refusal: null, rail_uuid: `rail-${id}` });
    await world.move(id, again.call, { kind: 'unknown' }, 'unknown');
    await world.age(id, 61);
    for (const wait of [61, 61]) {
      const read = await world.claim(id, 'read');
      await world.move(id, read.call, answers('draft'), 'unknown');
      await world.age(id, wait);
    }
    await expect(world.claim(id, 'confirm')).rejects.toMatchObject(ARROW);
  });

  test('a draft without an answer is made anew after two looks, and confirmed after one more', async () => {
    const { id } = await one();
    const draft = await world.claim(id);
    await world.move(id, draft.call, { kind: 'unknown' }, 'asking');
    await expect(world.move(id, null, null, 'waiting')).rejects.toMatchObject(ARROW);
    const first = await world.claim(id, 'find', 1);
    await world.move(id, first.call, answers('absent'), 'asking');
    await world.age(id, 61);
    const second = await world.claim(id, 'find', 1);
    await world.move(id, second.call, answers('absent'), 'waiting');
    const anew = await world.claim(id);
    expect(anew).toMatchObject({ attempt: 2, reference: `${id}-2` });
    expect(
      await world.move(id, anew.call, answers('draft'), 'drafted', {
        rail_uuid: `rail-${id}`,
        confirms: true,
      }),
    ).toEqual({ result: 'moved', call: null });
    await expect(world.claim(id, 'confirm')).rejects.toMatchObject(ARROW);
    const look = await world.claim(id, 'find', 1);
    await world.move(id, look.call, answers('absent'), 'drafted');
    expect(await world.claim(id, 'confirm')).toMatchObject({ refusal: null });
  });

  test('of drafts that were never sent the 200th waits for people, and none before', async () => {
    const { id } = await one();
    const unsent = async () => {
      const draft = await world.claim(id);
      await world.move(id, draft.call, { kind: 'unsent' }, 'waiting');
    };
    for (let n = 1; n < 200; n++) await unsent();
    await expect(world.move(id, null, null, 'stuck')).rejects.toMatchObject(ARROW);
    await unsent();
    await world.move(id, null, null, 'stuck', { reason: 'attempts-used-up' });
    expect(await world.dispatch(id)).toMatchObject({ state: 'stuck', attempt: 200 });
  });

  test('a call belongs to its worker for 15 s; one that closes it late changes nothing', async () => {
    const { id, call } = await confirming();
    expect(await world.move(id, call, { kind: 'worker-lost' }, 'unknown')).toMatchObject({ result: 'lost' });
    await world.age(id, 16);
    expect(await world.move(id, call, { kind: 'worker-lost' }, 'unknown')).toMatchObject({ result: 'moved' });
    expect(await world.move(id, call, answers('success'), 'paid')).toMatchObject({ result: 'lost' });
    expect(await world.dispatch(id)).toMatchObject({ state: 'unknown' });
  });

  test('returned: the money is back in full, its card is distrusted, and the batch may be closed meanwhile', async () => {
    const { id, payee, call } = await confirming();
    await world.move(id, call, answers('revert'), 'returned');
    expect(await world.stateOf(payee)).toMatchObject({
      payout: 'returned',
      item: 'returned',
      told: ['receipt-returned'],
    });
    expect(await balancesOf(payee)).toEqual([GROSS * MICROS, 0n]);
    const shown = await payoutReads(world.pool, world.projectId).transfers(PayoutId.parse(payee.payoutId));
    expect(shown.map(({ kind, from }) => `${kind} from ${from}`)).toEqual([
      'hold from available',
      'pay from held',
      'fee from held',
      'return from clearing',
      'return from fee',
    ]);
    const { rows } = await world.pool.query(
      'select distrusted_at is not null distrusted from payout_destination where id = $1',
      [payee.destinationId],
    );
    expect(rows).toEqual([{ distrusted: true }]);
  });

  test('a hundred at once that settle and give back: one wins, and the money moves once', async () => {
    const { id, payee, call } = await confirming();
    const tries = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) =>
        n % 2
          ? world.move(id, call, answers('success'), 'paid')
          : world.move(id, call, answers('revert'), 'returned'),
      ),
    );
    const moved = tries.filter((each) => each.status === 'fulfilled' && each.value.result === 'moved');
    expect(moved).toHaveLength(1);
    const { rows } = await world.pool.query<{ n: number }>(
      'select count(*)::int n from ledger_transfer where key = $1',
      [`resolve:${payee.payoutId}`],
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('learned by asking it leaves the rows that it leaves when it is learned by the answer', async () => {
    const answered = await confirming();
    await world.move(answered.id, answered.call, answers('success'), 'paid');
    const asked = await confirming();
    await world.move(asked.id, asked.call, { kind: 'unknown' }, 'unknown');
    const read = await world.claim(asked.id, 'read');
    await world.move(asked.id, read.call, answers('success'), 'paid', { commission: 700 });
    expect(await world.stateOf(asked.payee)).toEqual(await world.stateOf(answered.payee));
    expect(await transfersOf(asked)).toEqual(await transfersOf(answered));
  });

  test('a failure that only asking told leaves the rows of one that the answer told first', async () => {
    const [answered, asked] = [await confirming(), await confirming()];
    await world.move(answered.id, answered.call, answers('error'), 'asking');
    await world.move(asked.id, asked.call, { kind: 'unknown' }, 'unknown');
    // Either way the rail says so twice more, a minute apart, before it is believed.
    for (const [{ id }, state] of [
      [answered, 'asking'],
      [asked, 'unknown'],
    ] as const) {
      const first = await world.claim(id, 'read');
      await world.move(id, first.call, answers('error'), state);
      await world.age(id, 61);
      const second = await world.claim(id, 'read');
      await world.move(id, second.call, answers('error'), 'failed', { reason: 'rail-error' });
    }
    expect(await world.stateOf(asked.payee)).toMatchObject({ payout: 'failed', item: 'failed' });
    expect(await world.stateOf(asked.payee)).toEqual(await world.stateOf(answered.payee));
    expect(await transfersOf(asked)).toEqual(await transfersOf(answered));
    expect(await balancesOf(asked.payee)).toEqual([GROSS * MICROS, 0n]);
    expect(await balancesOf(answered.payee)).toEqual([GROSS * MICROS, 0n]);
  });
});

/** Of one payment, without its own ids. */
const transfersOf = async ({ id, payee }: Awaited<ReturnType<typeof confirming>>) =>
  (
    await world.pool.query(
      `select replace(replace(key, $1, 'payout'), $2, 'dispatch') as key, kind, amount, actor, debit = $3 or credit = $3 as theirs
       from ledger_transfer where subject_id::text in ($1, $2) order by n`,
      [payee.payoutId, id, payee.held],
    )
  ).rows;

describe('the rail stops itself', () => {
  test('where it paid without being told to, and says why; nothing is claimed then', async () => {
    const { id, payee } = await one();
    const draft = await world.claim(id);
    await world.move(id, draft.call, answers('success'), 'paid', {
      rail_uuid: `rail-${id}`,
      stops_rail: 'confirmable-lost',
    });
    expect(await world.stateOf(payee)).toMatchObject({ payout: 'paid' });
    const { rows } = await world.pool.query(`select stopped_by, reason from rail where id = 'multicard'`);
    expect(rows).toEqual([{ stopped_by: 'navbat', reason: 'confirmable-lost' }]);
    const other = await world.batch(1);
    expect(await world.start()).toBe(0);
    await setBatch(other.id, 'paused');
  });

  test('two people open it: who asked does not agree, an operator may not, and what was asked before the stop counts no more', async () => {
    const [asker, agreer, operator, young] = [
      await world.staff(),
      await world.staff('admin'),
      await world.staff('operator'),
      await world.staff('finance', 0),
    ];
    const ask = (staff: string) =>
      world.pool.query('select rail_open_ask($1, $2, $3)', ['multicard', staff, 'mended']);
    const agree = async (staff: string) =>
      world.pool.query('select rail_open_agree($1, $2, $3)', [
        'multicard',
        staff,
        await openingProof(world.pool, staff, 'multicard'),
      ]);
    await world.pool.query('select rail_stop($1, $2, $3)', ['multicard', operator, 'test']);
    await expect(agree(agreer)).rejects.toMatchObject({ code: 'NB028' });
    await expect(ask(operator)).rejects.toMatchObject({ code: 'NB022' });
    await ask(asker);
    await expect(agree(asker)).rejects.toMatchObject({ code: 'NB021' });
    await expect(agree(young)).rejects.toMatchObject({ code: 'NB026' });
    await agree(agreer);
    expect((await world.pool.query(`select stopped_at from rail where id = 'multicard'`)).rows).toEqual([
      { stopped_at: null },
    ]);
    await world.pool.query('select rail_stop($1, $2, $3)', ['multicard', operator, 'again']);
    await expect(agree(agreer)).rejects.toMatchObject({ code: 'NB028' });
    await ask(agreer);
    await agree(asker);
  });
});

describe('stuck', () => {
  const stuck = async () => {
    const made = await confirming();
    await world.move(made.id, made.call, { kind: 'unknown' }, 'stuck', { reason: 'no-answer' });
    return made;
  };

  test('it keeps its money held, and leaves the count of what is under way', async () => {
    const { id, payee } = await stuck();
    expect(await world.stateOf(payee)).toMatchObject({ payout: 'batched', item: 'dispatched' });
    expect(await balancesOf(payee)).toEqual([0n, GROSS * MICROS]);
    await expect(world.move(id, null, null, 'failed')).rejects.toMatchObject(ARROW);
  });

  test('staff are alarmed of it, and of a rail that is stopped', async () => {
    await stuck();
    await world.pool.query('select rail_stop($1, $2, $3)', ['bank-file', world.maker, 'a wrong file']);
    const alarms = (await payOps.alarms(world.pool, new Date())).filter(
      ({ alarm }) => !alarm.startsWith('ledger'),
    );
    expect(alarms.map(({ alarm, subject }) => [alarm, subject])).toEqual([
      ['rail-stopped', 'bank-file'],
      ['payments-stuck', 'multicard'],
    ]);
    expect(alarms[0]?.says).toContain('a wrong file');
    await world.owner.query('update rail set stopped_at = null, stopped_by = null, reason = null');
  });

  test.each(['paid', 'failed'] as const)(
    'two people settle it as %s, once, with evidence',
    async (outcome) => {
      const [asker, agreer] = [await world.staff(), await world.staff('admin')];
      const { id, payee } = await stuck();
      const ask = (evidence: string) =>
        world.pool.query('select dispatch_settle_ask($1, $2, $3, $4)', [id, asker, outcome, evidence]);
      const agree = async (staff: string, as: string = outcome) => {
        const proof = await settlingProof(world.pool, staff, id);
        return world.pool.query('select dispatch_settle_agree($1, $2, $3, $4)', [id, staff, as, proof]);
      };
      await expect(agree(agreer)).rejects.toMatchObject({ code: 'NB028' });
      await expect(ask(' ')).rejects.toMatchObject({ code: 'NB004' });
      await ask('letter of the rail, no. 5');
      await expect(agree(asker)).rejects.toMatchObject({ code: 'NB021' });
      await expect(agree(agreer, outcome === 'paid' ? 'failed' : 'paid')).rejects.toMatchObject({
        code: 'NB028',
      });
      const twice = await Promise.allSettled([agree(agreer), agree(agreer)]);
      expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(await world.stateOf(payee)).toMatchObject({ payout: outcome, item: outcome });
      expect(await balancesOf(payee)).toEqual([outcome === 'paid' ? 0n : GROSS * MICROS, 0n]);
      const { rows } = await world.pool.query(
        `select p.binds::jsonb ->> 'subject' subject from payout_action a join staff_proof p on p.id = a.proof_id where a.subject = $1`,
        [id],
      );
      expect(rows).toEqual([{ subject: id }]);
    },
  );
});

describe('two people', () => {
  const settling = async () => {
    const { id, call, payee } = await confirming();
    await world.move(id, call, { kind: 'unknown' }, 'stuck', { reason: 'no-answer' });
    await world.pool.query(`select dispatch_settle_ask($1, $2, 'failed', 'letter')`, [id, world.maker]);
    const agreer = await world.staff();
    const agree = (proof: string | null) =>
      world.pool.query(`select dispatch_settle_agree($1, $2, 'failed', $3)`, [id, agreer, proof]);
    return { id, payee, agreer, agree };
  };

  test.each<[string, string, (id: string, by: string) => Promise<string | null>]>([
    ['no proof', 'NB023', () => Promise.resolve(null)],
    [
      'a proof of another payment',
      'NB023',
      async (_id, by) => settlingProof(world.pool, by, (await one()).id),
    ],
    ["another's proof", 'NB023', async (id) => settlingProof(world.pool, await world.staff(), id)],
    [
      'a proof of another sum',
      'NB023',
      (id, by) => proofBy(world.pool, by, { action: 'money.correct', subject: id, version: 4, total: '1' }),
    ],
    [
      'a second factor of today',
      'NB026',
      (id, by) => proofBy(world.pool, by, { action: 'money.correct', subject: id, version: 4 }, 1),
    ],
    ['a passkey of today', 'NB026', (id, by) => passkeyProof(by, id)],
  ])('do not settle a payment by %s', async (_what, code, prove) => {
    const { id, agreer, agree, payee } = await settling();
    await expect(agree(await prove(id, agreer))).rejects.toMatchObject({ code });
    expect(await balancesOf(payee)).toEqual([0n, GROSS * MICROS]);
  });

  /** By a key that was registered an hour ago, beside an authenticator that is old enough. */
  async function passkeyProof(by: string, id: string): Promise<string> {
    await settlingProof(world.pool, by, id);
    const [key, proof] = [randomUUID(), randomUUID()];
    await world.owner.query(
      `insert into staff_passkey (id, staff_id, credential_id, public_key, counter, transports, name, created_at)
       values ($1, $2, $3, 'x', 0, '{}', 'a key', now() - interval '1 hour')`,
      [key, by, randomBytes(16)],
    );
    await world.pool.query(
      `insert into staff_proof (id, staff_id, by, passkey_id, nonce, assertion, factor_at, binds, binds_hash)
       select $1, $2, 'passkey', $3, $4, '{}', now() - interval '1 hour', p.binds, p.binds_hash
       from staff_proof p where p.staff_id = $2 limit 1`,
      [proof, by, key, randomBytes(16)],
    );
    return proof;
  }

  test('do not settle a payment as another outcome than the second has proved, nor as was asked before', async () => {
    const { id, agreer, agree, payee } = await settling();
    const proof = await settlingProof(world.pool, agreer, id);
    const third = await world.staff();
    await world.pool.query(`select dispatch_settle_ask($1, $2, 'paid', 'a call')`, [id, third]);
    await expect(
      world.pool.query(`select dispatch_settle_agree($1, $2, 'paid', $3)`, [id, agreer, proof]),
    ).rejects.toMatchObject({ code: 'NB023', detail: 'other-subject' });
    await expect(agree(proof)).rejects.toMatchObject({ code: 'NB028' });
    expect(await balancesOf(payee)).toEqual([0n, GROSS * MICROS]);
  });

  test('do not settle the money of one of them', async () => {
    for (const whose of ['asker', 'agreer'] as const) {
      const { id, agreer, agree, payee } = await settling();
      const phone = `+99890${randomInt(1_000_000, 9_999_999)}`;
      await world.pool.query(
        'insert into person (id, created_at) values ($1, now()) on conflict do nothing',
        [payee.personId],
      );
      await world.pool.query(
        `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
        [randomBytes(32), payee.personId, phone],
      );
      await world.pool.query('select payout_handler_declare($1, $2, null)', [
        whose === 'asker' ? world.maker : agreer,
        phone,
      ]);
      await expect(agree(await settlingProof(world.pool, agreer, id))).rejects.toMatchObject({
        code: 'NB025',
      });
      expect(await balancesOf(payee)).toEqual([0n, GROSS * MICROS]);
    }
  });

  test('do not settle the money of a card that one of them has, too', async () => {
    const { id, agreer, agree, payee } = await settling();
    const phone = await world.phoneOfSameCard(payee);
    await world.pool.query('select payout_handler_declare($1, $2, null)', [agreer, phone]);
    await expect(agree(await settlingProof(world.pool, agreer, id))).rejects.toMatchObject({ code: 'NB025' });
    expect(await balancesOf(payee)).toEqual([0n, GROSS * MICROS]);
  });

  test('do not open a rail without a proof, by one of another stop, or by a second factor of today', async () => {
    const agreer = await world.staff();
    await world.pool.query(`select rail_stop('bank-file', $1, 'test')`, [world.maker]);
    await world.pool.query(`select rail_open_ask('bank-file', $1, 'mended')`, [world.maker]);
    const agree = (proof: string | null) =>
      world.pool.query(`select rail_open_agree('bank-file', $1, $2)`, [agreer, proof]);
    await expect(agree(null)).rejects.toMatchObject({ code: 'NB023' });
    const other = { action: 'rail.open', subject: 'bank-file', version: 1 } as const;
    await expect(agree(await proofBy(world.pool, agreer, other))).rejects.toMatchObject({ code: 'NB023' });
    await expect(agree(await proofBy(world.pool, agreer, other, 1))).rejects.toMatchObject({ code: 'NB026' });
    await world.pool.query(`update staff set totp_bound_at = now() - interval '3 days' where id = $1`, [
      agreer,
    ]);
    await agree(await openingProof(world.pool, agreer, 'bank-file'));
    const { rows } = await world.pool.query(`select stopped_at from rail where id = 'bank-file'`);
    expect(rows).toEqual([{ stopped_at: null }]);
  });
});

describe('housekeeping', () => {
  const rejob = async () =>
    (await world.pool.query<{ n: number }>('select dispatch_rejob(1000) n')).rows[0]?.n;
  const finish = async () =>
    (await world.pool.query<{ id: string }>('select dispatch_finish_batches(100) id')).rows.map(
      ({ id }) => id,
    );

  test('a dispatch that lost its job has another; one that has one, or has ended, has not', async () => {
    await rejob();
    const lost = await one();
    const ended = await confirming();
    await world.move(ended.id, ended.call, answers('success'), 'paid');
    expect(await rejob()).toBe(0);
    await world.pool.query(`delete from job where kind = 'payout' and subject_id = any ($1::uuid[])`, [
      [lost.id, ended.id],
    ]);
    expect(await rejob()).toBe(1);
    const { job_id: jobId } = await world.dispatch(lost.id);
    expect((await world.pool.query('select subject_id from job where id = $1', [jobId])).rows).toEqual([
      { subject_id: lost.id },
    ]);
  });

  test('where the rest of a batch is cancelled, what is not confirmed is taken out; what is, goes on to its end', async () => {
    const { id, payees } = await world.batch(4);
    await world.owner.query(`update payout_batch set state = 'paused' where state = 'running' and id <> $1`, [
      id,
    ]);
    await world.start();
    const [asked, drafted, waiting] = await world.dispatches(id);
    if (!asked || !drafted || !waiting) throw new Error('nothing was started');
    const uuid = (of: string) => ({ rail_uuid: `rail-${of}` });
    const first = await world.claim(asked.id);
    const { call } = await world.move(asked.id, first.call, answers('draft'), 'drafted', {
      ...uuid(asked.id),
      confirms: true,
    });
    const second = await world.claim(drafted.id);
    await world.move(drafted.id, second.call, answers('draft'), 'drafted', uuid(drafted.id));
    await setBatch(id, 'paused');
    const { rows } = await world.pool.query<{ version: number }>(
      'select version from payout_batch where id = $1',
      [id],
    );
    await world.pool.query('select batch_cancel_rest($1, $2, $3, $4)', [
      id,
      rows[0]?.version,
      world.maker,
      'enough',
    ]);
    expect((await world.dispatches(id)).map(({ state }) => state)).toEqual([
      'confirming',
      'dropped',
      'dropped',
      'dropped',
    ]);
    const states = await Promise.all(payees.map(world.stateOf));
    expect(states.map((each) => each?.payout)).toEqual(['batched', 'pending', 'pending', 'pending']);
    expect(await finish()).not.toContain(id);
    // It was not answered, and the rail says twice that it was not confirmed: it is confirmed again, as in a batch that runs.
    await world.move(asked.id, call, { kind: 'unknown' }, 'unknown');
    for (const wait of [61, 0]) {
      const read = await world.claim(asked.id, 'read');
      await world.move(asked.id, read.call, answers('draft'), 'unknown');
      await world.age(asked.id, wait);
    }
    const again = await world.claim(asked.id, 'confirm');
    expect(again).toMatchObject({ refusal: null, rail_uuid: `rail-${asked.id}` });
    await world.move(asked.id, again.call, answers('success'), 'paid');
    expect(await finish()).toContain(id);
  });

  test('a batch is done with its last line; with one that is stuck it is not', async () => {
    const made = await confirming();
    expect(await finish()).not.toContain(made.batchId);
    await world.move(made.id, made.call, answers('success'), 'paid');
    expect(await finish()).toContain(made.batchId);
    expect(await finish()).not.toContain(made.batchId);
  });
});

test('calls are kept: closed once, and nothing of them changes', async () => {
  const { id, call } = await confirming();
  await world.move(id, call, answers('success'), 'paid');
  for (const sql of [
    `update rail_call set status = 'error' where dispatch_id = $1`,
    `update rail_call set opened_at = now() where dispatch_id = $1`,
    `delete from rail_call where dispatch_id = $1`,
    `update payout_dispatch set state = 'waiting' where id = $1`,
    `delete from payout_dispatch where id = $1`,
  ])
    await expect(world.owner.query(sql, [id])).rejects.toMatchObject({
      code: expect.stringMatching(/^NB0(09|30)$/),
    });
  const app = new pg.Client({ connectionString: world.url });
  await app.connect();
  for (const sql of [
    `insert into rail_call (dispatch_id, n, what, attempt, reference, opened_at, call_by) select id, 99, 'confirm', 1, 'x', now(), now() from payout_dispatch`,
    `update payout_dispatch set next_at = now()`,
    `update rail set stopped_at = null`,
    `select dispatch_end(array[]::uuid[], 'x')`,
    `select dispatch_stop_rail('multicard', 'x')`,
  ])
    await expect(app.query(sql)).rejects.toMatchObject({ code: '42501' });
  await app.end();
});

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  APPEALS_OPEN_MAX,
  type AppealState,
  DECIDE_ALONE_TIYIN_MAX,
} from '../../../../domain/earn/day/appeal.ts';
import type { SessionId } from '../../../../domain/earn/ids.ts';
import { explainDay } from '../../../../domain/earn/traffic/explain.ts';
import { appeals } from '../../../../infra/postgres/earn/day/appeals.ts';
import { dayReviews } from '../../../../infra/postgres/earn/day/reviews.ts';
import { DAY_MS, MB, openEarnWorld } from './earn-world.ts';

const page = { limit: 50, after: null };

interface Earned {
  readonly personId: string;
  readonly sessionId: SessionId;
  readonly day: string;
}

/** Where no gateway reports, everything is in review. */
async function openWorld(settings: object = { require_counterpart: 'review' }) {
  const world = await openEarnWorld(settings);
  const [own, reviews] = [appeals(world.pool, world.projectId), dayReviews(world.pool, world.projectId)];
  const days = ({ personId, sessionId }: Earned, day: string | null = null) =>
    own.days({ personId, recipientId: randomUUID(), sessionId, day });
  return {
    ...world,
    reviews,
    days,
    appeal: ({ personId, sessionId, day }: Earned, text = 'I was at home') =>
      own.make({ personId, sessionId, day, text }),
    appealOf: async (earned: Earned) => (await days(earned)).days[0]?.appeal ?? null,
    open: async (state: AppealState = 'open') => (await reviews.appeals(state, page)).rows,
    answer: (id: string, overturns: boolean, staffId = world.finance) =>
      reviews.answer(id as never, overturns, { staffId, answer: 'Looked at it' }),
    act: ({ sessionId, day }: Earned, staffId = world.finance) => ({
      sessionId,
      day,
      staffId,
      reason: 'Because',
    }),
    close: async (day: string) => {
      await world.untilClosable();
      return world.days.close(day, null);
    },
  };
}
type World = Awaited<ReturnType<typeof openWorld>>;

const appealed = async (world: World, bytes = 40n * MB) => {
  const earned = await world.earner(bytes);
  expect(await world.appeal(earned)).toEqual({ ok: true });
  const one = (await world.open()).find(({ day }) => day.sessionId === earned.sessionId);
  if (!one) throw new Error('the appeal is not listed');
  return { ...earned, id: one.id };
};

describe('an appeal', () => {
  test('is made once a day of a session, also by many at once', async () => {
    const world = await openWorld();
    const earned = await world.earner(MB);
    const made = await Promise.all(Array.from({ length: 6 }, () => world.appeal(earned)));
    expect(made.filter(({ ok }) => ok)).toHaveLength(1);
    expect(made.filter(({ ok }) => !ok)).toEqual(Array(5).fill({ ok: false, reason: 'appealed' }));
    expect(await world.appealOf(earned)).toMatchObject({
      state: 'open',
      text: 'I was at home',
      answer: null,
    });
  });

  test.each([
    ['of a day that is paid', { require_counterpart: 'pay' }, (e: Earned) => e, 'day-paid'],
    ['of another’s day', undefined, (e: Earned) => ({ ...e, personId: randomUUID() }), 'unknown-day'],
    ['of a day without traffic', undefined, (e: Earned) => ({ ...e, day: '2026-01-01' }), 'unknown-day'],
  ] as const)('%s is refused', async (_of, settings, change, reason) => {
    const world = await openWorld(settings);
    expect(await world.appeal(change(await world.earner(MB)))).toEqual({ ok: false, reason });
  });

  test('is made within thirty days of the end of its day', async () => {
    const world = await openWorld();
    const [soon, late] = [await world.earner(MB), await world.earner(MB)];
    const end = Date.parse(`${soon.day}T00:00:00Z`) + DAY_MS - 5 * 3_600_000;
    await world.forward(end + 30 * DAY_MS - 60_000 - world.now().getTime());
    expect(await world.appeal(soon)).toEqual({ ok: true });
    await world.forward(120_000);
    expect(await world.appeal(late)).toEqual({ ok: false, reason: 'appeal-late' });
  });

  test('waits with so many others of its person, the oldest first, and no more', async () => {
    const world = await openWorld();
    const [personId, installation] = [randomUUID(), randomUUID()];
    const earned: Earned[] = [];
    for (let n = 0; n <= APPEALS_OPEN_MAX; n++) {
      const started = await world.sessions.start(personId, installation, world.now());
      if (!started.ok) throw new Error(started.reason);
      const { sessionId } = started;
      await world.forward(1_000);
      await world.sessions.report({ sessionId, personId, reports: [world.said(0, MB)] });
      await world.sessions.stop(personId, sessionId, world.now());
      earned.push({ personId, sessionId, day: world.today() });
    }
    const made = await Promise.all(earned.map((one) => world.appeal(one)));
    expect(made.filter(({ ok }) => ok)).toHaveLength(APPEALS_OPEN_MAX);
    expect(made.find(({ ok }) => !ok)).toEqual({ ok: false, reason: 'appeal-open-limit' });
    const open = await world.open();
    expect(open.map(({ id }) => id)).toEqual(open.map(({ id }) => id).toSorted());
    const { rows: waiting } = await world.reviews.waiting(page);
    expect(waiting.map(({ id }) => id)).toEqual(earned.map(({ sessionId }) => sessionId));
    await world.answer(open[0]?.id ?? '', false);
    const refused = earned[made.findIndex(({ ok }) => !ok)];
    expect(refused && (await world.appeal(refused))).toEqual({ ok: true });
    expect(await world.appeal(await world.earner(MB))).toEqual({ ok: true });
  });

  test('that is overturned before the close is paid with it, once', async () => {
    const world = await openWorld();
    const one = await appealed(world);
    expect(await world.answer(one.id, true)).toEqual({ ok: true, state: 'overturned' });
    expect(await world.transfers()).toEqual([]);
    await world.close(one.day);
    expect(await world.answer(one.id, true)).toEqual({ ok: true, state: 'overturned' });
    expect(await world.transfers()).toEqual([`earn:${one.personId}:${one.day} earn available 40000000`]);
    expect(await world.appealOf(one)).toMatchObject({ state: 'overturned', answer: 'Looked at it' });
  });

  test('that is overturned after the close is paid at once, under a key of its own, once, by any number of people', async () => {
    const world = await openWorld();
    const one = await appealed(world);
    await world.close(one.day);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => world.answer(one.id, true, n % 2 ? world.finance : world.second)),
    );
    expect(answers).toEqual(Array(6).fill({ ok: true, state: 'overturned' }));
    expect(await world.transfers()).toEqual([
      `earn-late:${one.sessionId}:${one.day} earn available 40000000`,
    ]);
    expect(await world.answer(one.id, false)).toEqual({ ok: false, reason: 'appeal-ended' });
  });

  test('that is upheld leaves the day unpaid, whatever is metered after that', async () => {
    const world = await openWorld();
    const one = await appealed(world);
    expect(await world.answer(one.id, false)).toEqual({ ok: true, state: 'upheld' });
    expect(await world.answer(one.id, true)).toEqual({ ok: false, reason: 'appeal-ended' });
    await world.meter([one.sessionId]);
    expect(await world.dayOf(one.sessionId, one.day)).toMatchObject({ verdict: 'unpaid', reason: 'decided' });
    await world.close(one.day);
    expect(await world.transfers()).toEqual([]);
    expect(await world.appeal(one)).toEqual({ ok: false, reason: 'appealed' });
  });

  test('of a day that became payable by itself is not upheld', async () => {
    const world = await openWorld();
    const one = await appealed(world, MB);
    const { sessionId, day } = one;
    const measuredAt = world.now();
    await world.gateways.report({ projectId: world.projectId, keyId: randomUUID() }, [
      { sessionId, seq: 0, measuredAt, up: 0n, down: MB },
    ]);
    await world.meter([sessionId]);
    expect(await world.answer(one.id, false)).toEqual({ ok: false, reason: 'day-paid' });
    expect(await world.dayOf(sessionId, day)).toMatchObject({ verdict: 'pay' });
    expect(await world.answer(one.id, true)).toEqual({ ok: true, state: 'overturned' });
    await world.close(day);
    expect(await world.transfers()).toHaveLength(1);
  });

  test('of a day that was taken back gives it again', async () => {
    const world = await openWorld({ require_counterpart: 'pay' });
    const earned = await world.earner(10n * MB);
    await world.close(earned.day);
    expect(await world.reviews.takeBack(world.act(earned))).toMatchObject({
      ok: true,
      day: { isTakenBack: true },
    });
    expect(await world.appeal(earned)).toEqual({ ok: true });
    const [one] = await world.open();
    expect(await world.answer(one?.id ?? '', true)).toEqual({ ok: true, state: 'overturned' });
    expect((await world.transfers()).map((said) => said.split(':')[0])).toEqual([
      'earn',
      'takeback',
      'earn-again',
    ]);
    const [day] = (await world.days(earned)).days;
    expect(day && explainDay(day.day)).toEqual({ state: 'paid', paidBytes: 10n * MB, unpaid: [] });
    expect(await world.reviews.takeBack(world.act(earned))).toEqual({
      ok: false,
      reason: 'day-given-again',
    });
  });

  test('is answered by nobody about their own money, nor by another role', async () => {
    const world = await openWorld();
    const one = await appealed(world);
    await world.isStaff(one.personId, world.finance);
    for (const overturns of [true, false])
      expect(await world.answer(one.id, overturns)).toEqual({ ok: false, refusal: { kind: 'own-money' } });
    expect(await world.answer(one.id, true, randomUUID())).toEqual({ ok: false, refusal: { kind: 'role' } });
    // Of what they may not see they are not even told that it is not there.
    expect(await world.answer(randomUUID(), true, randomUUID())).toEqual({
      ok: false,
      refusal: { kind: 'role' },
    });
    expect(await world.open()).toHaveLength(1);
    expect(await world.answer(one.id, true, world.second)).toEqual({ ok: true, state: 'overturned' });
  });

  test('of a day that another has decided is upheld by nobody about their own money either', async () => {
    const world = await openWorld();
    const earned = await world.earner(MB);
    await world.reviews.decide(world.act(earned, world.second), false);
    expect(await world.appeal(earned)).toEqual({ ok: true });
    await world.isStaff(earned.personId, world.finance);
    const [one] = await world.open();
    expect(await world.answer(one?.id ?? '', false)).toEqual({ ok: false, refusal: { kind: 'own-money' } });
    expect(await world.answer(one?.id ?? '', false, world.second)).toEqual({ ok: true, state: 'upheld' });
  });

  test('that there is not is told so', async () => {
    const world = await openWorld();
    expect(await world.answer(randomUUID(), true)).toEqual({ ok: false, reason: 'unknown-appeal' });
  });

  test('loses its words with its person, and stays', async () => {
    const world = await openWorld();
    const one = await appealed(world);
    await world.pool.query('select traffic_appeal_forget($1, $2)', [world.projectId, one.personId]);
    expect(await world.appealOf(one)).toMatchObject({ state: 'open', text: null });
  });
});

describe('a decision of a day', () => {
  test('answers the appeal that waits', async () => {
    const world = await openWorld();
    const [good, bad] = [await appealed(world), await appealed(world)];
    expect(await world.reviews.decide(world.act(good), true)).toMatchObject({
      ok: true,
      day: { verdict: 'pay' },
    });
    expect(await world.reviews.decide(world.act(bad), false)).toMatchObject({
      ok: true,
      day: { verdict: 'unpaid' },
    });
    expect(await world.appealOf(good)).toMatchObject({ state: 'overturned', answer: 'Because' });
    expect(await world.appealOf(bad)).toMatchObject({ state: 'upheld', answer: 'Because' });
  });

  test('pays no more than somebody has looked at: what is claimed after it is in review again', async () => {
    const world = await openWorld();
    const one = await appealed(world, MB);
    expect(await world.answer(one.id, true)).toEqual({ ok: true, state: 'overturned' });
    await world.meter([one.sessionId]);
    expect(await world.dayOf(one.sessionId, one.day)).toMatchObject({ verdict: 'pay' });
    await world.forward(1_000);
    await world.sessions.report({
      sessionId: one.sessionId,
      personId: one.personId,
      reports: [world.said(1, 40n * MB)],
    });
    await world.meter([one.sessionId]);
    await world.meter([one.sessionId]);
    expect(await world.dayOf(one.sessionId, one.day)).toMatchObject({
      verdict: 'review',
      reason: 'no-counterpart',
    });
    await world.close(one.day);
    expect(await world.transfers()).toEqual([]);
    expect(await world.reviews.decide(world.act(one), true)).toMatchObject({ ok: true });
    expect(await world.transfers()).toEqual([
      `earn-late:${one.sessionId}:${one.day} earn available 40000000`,
    ]);
  });

  test('is made by nobody about their own money, and nothing of theirs is taken back by them', async () => {
    const world = await openWorld({ require_counterpart: 'pay' });
    const earned = await world.earner(MB);
    await world.isStaff(earned.personId, world.finance);
    const refused = { ok: false, refusal: { kind: 'own-money' } };
    for (const pays of [true, false])
      expect(await world.reviews.decide(world.act(earned), pays)).toEqual(refused);
    await world.close(earned.day);
    expect(await world.reviews.takeBack(world.act(earned))).toEqual(refused);
    expect(await world.transfers()).toHaveLength(1);
    expect(await world.reviews.takeBack(world.act(earned, world.second))).toMatchObject({ ok: true });
  });

  test('is made by nobody who has bound the same card under another name', async () => {
    const world = await openWorld({ require_counterpart: 'pay' });
    const earned = await world.earner(MB);
    const other = randomUUID();
    await world.isStaff(other, world.finance);
    await world.owner.query(
      `insert into payout_destination (project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       select $3, p, 'multicard', 'x', sha256('card'), '1234', now(), now() from unnest(array[$1, $2]::uuid[]) p`,
      [earned.personId, other, world.projectId],
    );
    expect(await world.reviews.decide(world.act(earned), true)).toEqual({
      ok: false,
      refusal: { kind: 'own-money' },
    });
  });

  test('is made by one person for so much money in a day, also by many at once; then another decides', async () => {
    const world = await openWorld();
    const days = [await world.earner(MB), await world.earner(MB), await world.earner(MB)] as const;
    await world.owner.query(
      `insert into session_day_action (session_id, day, action, staff_id, reason, micros, at)
       values ($1, $2, 'take-back', $3, 'Before', $4, ledger_clock())`,
      [days[0].sessionId, days[0].day, world.finance, (DECIDE_ALONE_TIYIN_MAX * 10_000n - MB).toString()],
    );
    const done = await Promise.all(days.map((one) => world.reviews.decide(world.act(one), true)));
    expect(done.filter(({ ok }) => ok)).toHaveLength(1);
    expect(done.filter(({ ok }) => !ok)).toEqual(
      Array(2).fill({ ok: false, refusal: { kind: 'decide-limit' } }),
    );
    const left = days[done.findIndex(({ ok }) => !ok)] ?? days[0];
    expect(await world.reviews.decide(world.act(left), false)).toMatchObject({ ok: true });
    expect(await world.reviews.decide(world.act(left, world.second), true)).toMatchObject({ ok: true });
    await world.close(left.day);
    expect(await world.reviews.takeBack(world.act(left))).toMatchObject({ ok: true });
  });

  test('of what is posted, of nothing, or with nothing to take says so', async () => {
    const world = await openWorld({ require_counterpart: 'pay' });
    const earned = await world.earner(MB);
    expect(await world.reviews.takeBack(world.act(earned))).toEqual({ ok: false, reason: 'nothing-to-take' });
    await world.close(earned.day);
    expect(await world.reviews.decide(world.act(earned), false)).toEqual({ ok: false, reason: 'day-posted' });
    const nothing = { ...world.act(earned), day: '2026-01-01' };
    expect(await world.reviews.decide(nothing, true)).toEqual({ ok: false, reason: 'unknown-day' });
    expect(await world.reviews.takeBack(nothing)).toEqual({ ok: false, reason: 'unknown-day' });
  });
});

test('what waits for a person is listed a page at a time', async () => {
  const world = await openWorld();
  const earned = [await world.earner(MB), await world.earner(MB), await world.earner(MB)];
  await world.reviews.decide(world.act(earned[1] as Earned), true);
  const first = await world.reviews.waiting({ limit: 1, after: null });
  const second = await world.reviews.waiting({ limit: 1, after: first.next });
  expect([...first.rows, ...second.rows].map(({ id }) => id)).toEqual([
    earned[0]?.sessionId,
    earned[2]?.sessionId,
  ]);
  expect(second.next).toBeNull();
  expect(first.rows[0]?.days).toMatchObject([{ verdict: 'review', reason: 'no-counterpart', bytes: MB }]);
});

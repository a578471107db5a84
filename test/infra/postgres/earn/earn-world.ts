import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { SessionId } from '../../../../domain/earn/ids.ts';
import type { ClaimedReport } from '../../../../domain/earn/traffic/port.ts';
import { tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { dayRounds } from '../../../../infra/postgres/earn/day/rounds.ts';
import { priceRounds, prices } from '../../../../infra/postgres/earn/price/prices.ts';
import { gateways } from '../../../../infra/postgres/earn/traffic/gateways.ts';
import { sessionMeter } from '../../../../infra/postgres/earn/traffic/meter.ts';
import { trafficRounds } from '../../../../infra/postgres/earn/traffic/rounds.ts';
import { trafficSessions } from '../../../../infra/postgres/earn/traffic/sessions.ts';
import { moveClock } from '../../../../infra/postgres/engine/clock.ts';
import { bookOf } from '../pay/posting.ts';
import { openGround } from '../world.ts';

export const MB = 1_000_000n;
export const [MINUTE_MS, DAY_MS] = [60_000, 86_400_000];

/** A project in which people earn, with a price of 100 tiyin, over a real Postgres whose clock moves by hand. */
export async function openEarnWorld(
  settings: object = { require_counterpart: 'pay' },
  { timezone }: { readonly timezone?: string } = {},
) {
  const ground = await openGround();
  onTestFinished(() => ground.close());
  const { pool, owner } = ground;
  if (timezone !== undefined)
    pool.on('connect', (client) => void client.query(`set timezone to '${timezone}'`));
  const { projectId } = await ground.makeProject(settings);
  await pool.query('select ledger_book_open($1)', [projectId]);
  const clock = { aheadMs: 0 };
  const now = () => new Date(Date.now() + clock.aheadMs);
  const [finance, second] = [await makeStaff(owner), await makeStaff(owner)] as const;
  const priced = prices(pool, projectId);
  await priced.set(tashkentDay(now()), 100, finance);
  const meter = sessionMeter(pool, projectId);
  const sessions = trafficSessions({ pool, book: projectId, meter });
  const start = async (personId: string) => {
    const started = await sessions.start(personId, randomUUID(), now());
    if (!started.ok) throw new Error(started.reason);
    return started.sessionId;
  };
  const forward = async (ms: number) => {
    clock.aheadMs += ms;
    await moveClock(owner, clock.aheadMs);
  };
  return {
    ...ground,
    projectId,
    now,
    forward,
    finance,
    second,
    prices: priced,
    priceRounds: priceRounds(pool, projectId),
    meter,
    sessions,
    gateways: gateways(pool),
    rounds: trafficRounds(pool),
    days: dayRounds(pool, projectId),
    ledger: bookOf(owner, projectId),
    start,
    today: () => tashkentDay(now()),
    /** So many bytes received since the session began, as it is now. */
    said: (seq: number, down: bigint): ClaimedReport => ({ seq, measuredAt: now(), up: 0n, down }),
    /** A person with a session of so many bytes today, metered. */
    earner: async (bytes: bigint, personId: string = randomUUID()) => {
      const sessionId = await start(personId);
      await forward(MINUTE_MS);
      const report = { seq: 0, measuredAt: now(), up: 0n, down: bytes };
      await sessions.report({ sessionId, personId, reports: [report] });
      await meter([sessionId]);
      return { personId, sessionId, day: tashkentDay(report.measuredAt) };
    },
    /** The person is this member of staff. */
    isStaff: async (personId: string, staffId: string) => {
      const phone = `+99890${Math.floor(1_000_000 + Math.random() * 8_999_999)}`;
      await owner.query(`insert into person (id, mode, created_at) values ($1, 'live', now())`, [personId]);
      await owner.query(
        `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
        [Buffer.from(randomUUID()), personId, phone],
      );
      await owner.query('select payout_handler_declare($1, $2, null)', [staffId, phone]);
    },
    /** Until the day of now can be closed. */
    untilClosable: () => forward(4 * DAY_MS),
    dayOf: async (sessionId: SessionId, day: string): Promise<Record<string, unknown> | undefined> =>
      (
        await pool.query<Record<string, unknown>>(
          `select bytes, payable, micros, verdict, reason, unpaid, posted_micros, taken_micros, closed_at is not null closed
           from session_day where session_id = $1 and day = $2`,
          [sessionId, day],
        )
      ).rows[0],
    transfers: async (): Promise<readonly string[]> =>
      (
        await pool.query<{ said: string }>(
          `select t.key || ' ' || t.kind || ' ' || c.class || ' ' || t.amount as said
           from ledger_transfer t join ledger_account c on c.id = case when t.kind = 'take-back' then t.debit else t.credit end
           where t.project_id = $1 order by t.n`,
          [projectId],
        )
      ).rows.map(({ said }) => said),
    decide: async (sessionId: SessionId, day: string, pays: boolean) =>
      (
        await pool.query<{ done: string }>('select session_day_decide($1, $2, $3, $4, $5, $6) as done', [
          projectId,
          sessionId,
          day,
          pays,
          finance,
          'looked at',
        ])
      ).rows[0]?.done,
    takeBack: async (sessionId: SessionId, day: string) =>
      (
        await pool.query<{ taken: string; owed: string }>(
          'select taken, owed from session_day_take_back($1, $2, $3, $4, $5)',
          [projectId, sessionId, day, finance, 'it was a server'],
        )
      ).rows[0],
  };
}

async function makeStaff(owner: Awaited<ReturnType<typeof openGround>>['owner']): Promise<string> {
  const id = randomUUID();
  await owner.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, 'finance', 'none', now() - interval '2 days')`,
    [id, `${id}@navbat.example`],
  );
  return id;
}

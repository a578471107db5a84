import { randomUUID } from 'node:crypto';
import {
  type BroadcastKind,
  type BroadcastOrder,
  LIFE_SECONDS_DEFAULT,
} from '../../../../../domain/message/broadcast/broadcast.ts';
import { priorityFor } from '../../../../../domain/message/broadcast/priority.ts';
import { broadcastIntake } from '../../../../../infra/postgres/message/broadcast/intake.ts';
import { preferencesLinks } from '../../../../../infra/postgres/message/preferences/links.ts';
import { broadcasts } from '../../../../../infra/postgres/message/broadcast/broadcasts.ts';
import { schedulerPool } from '../../../../../infra/postgres/engine/hot-pool.ts';
import { jobStore } from '../../../../../infra/postgres/job/attempts.ts';
import { schedulerQueries } from '../../../../../infra/postgres/job/scheduler.ts';
import type { DueEntry } from '../../../../../infra/queue/entries.ts';
import { scheduler } from '../../../../../workers/engine/scheduler.ts';
import { until } from '../../../../support/navbat.ts';
import { openGround } from '../../world.ts';
import { jobs } from '../../../../../domain/jobs.ts';
import { linesOf, settles } from '../../../../../infra/postgres/settles.ts';

const CHAT_GAP_MS = 1_000;

/** Intake, commands and scheduler of messages over a real Postgres, each step in a test's hand. */
export async function broadcastWorld() {
  const world = await openGround();
  const { pool, hash, rowEncryption: encryption } = world;
  const now = () => new Date();
  const messages = broadcastIntake({ pool, hash, encryption, now });
  const schedulers = schedulerPool(world.url, 2);
  const schedulerTurns = schedulerQueries(schedulers, jobs, linesOf({ chatGapMs: CHAT_GAP_MS }));

  const makeCaller = async () => ({ ...(await world.makeProject()), mode: 'live' as const });
  const orderOf = (
    caller: BroadcastOrder['caller'],
    kind: BroadcastKind,
    targets: BroadcastOrder['targets'],
    change: Partial<BroadcastOrder> = {},
  ): BroadcastOrder =>
    ({
      caller,
      kind,
      content:
        kind === 'push'
          ? { notification: { title: 'salom' } }
          : { text: 'salom', format: 'html', silent: false },
      targets,
      priority: priorityFor(targets.length),
      sendAt: now(),
      expiresAt: new Date(Date.now() + LIFE_SECONDS_DEFAULT * 1_000),
      dedupeKey: null,
      idempotency: null,
      category: null,
      requestId: randomUUID(),
      ...change,
    }) as BroadcastOrder;
  const accept = async (order: BroadcastOrder) => {
    const accepted = await messages.accept(order);
    if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
    return accepted;
  };
  const sendToChats = (caller: BroadcastOrder['caller'], chatIds: readonly number[], change = {}) =>
    accept(
      orderOf(
        caller,
        'telegram-message',
        chatIds.map((id) => ({ by: 'chat', chatId: String(id) })),
        change,
      ),
    );
  /** What the scheduler lets out where so many places are free; answers the jobs whose queue entries it issued. */
  const schedulerRound = async (kind: BroadcastKind, room: number, at?: Date) => {
    const entries: DueEntry[] = [];
    const ports = {
      inHand: () => Promise.resolve(0),
      schedule: async (of: string, places: number) => {
        const scheduled = await schedulerTurns.round(of, places, at ?? now());
        entries.push(...scheduled.entries);
        return { scheduled: scheduled.entries.length, more: scheduled.more, passed: scheduled.passed };
      },
    };
    await scheduler([{ kind, inFlightMax: room }], ports)();
    return entries;
  };
  const command = (caller: BroadcastOrder['caller'], id: string, name: 'pause' | 'resume' | 'cancel') =>
    broadcasts(pool).command(caller, id, name, now());
  /** Statements of others that wait for a lock just now. */
  const untilBlocked = (count: number) =>
    until(async () => {
      const { rows } = await pool.query<{ blocked: number }>(
        `select count(*)::int blocked from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return (rows[0]?.blocked ?? 0) >= count;
    });
  /** Locks one row for as long as `work` takes. */
  const whileLocked = async (sql: string, values: readonly unknown[], work: () => Promise<void>) => {
    const client = await pool.connect();
    await client.query('begin');
    await client.query(sql, [...values]);
    try {
      await work();
    } finally {
      await client.query('rollback');
      client.release();
    }
  };
  return {
    ...world,
    store: jobStore(pool, now, settles['telegram-message']),
    close: async () => {
      await schedulers.end();
      await world.close();
    },
    /** What the readers of jobs ask of people's preferences. */
    wanted: { now, links: preferencesLinks(hash, 'https://navbat.example') },
    messages,
    makeCaller,
    orderOf,
    accept,
    sendToChats,
    schedulerRound,
    command,
    untilBlocked,
    whileLocked,
  };
}

export type BroadcastWorld = Awaited<ReturnType<typeof broadcastWorld>>;

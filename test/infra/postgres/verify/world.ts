import type pg from 'pg';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { Wake } from '../../../../domain/job/wake.ts';
import type { Channel } from '../../../../domain/verify/channel.ts';
import type { SendOrder } from '../../../../domain/verify/intake.ts';
import { parsePhone } from '../../../../domain/shared/phone.ts';
import type { CodeMessage } from '../../../../domain/verify/port.ts';
import type { SendReply } from '../../../../domain/job/reply.ts';
import { codeOf, numberOf } from '../../../../infra/verify/codes.ts';
import { jobStore } from '../../../../infra/postgres/job/attempts.ts';
import { deliveries } from '../../../../infra/postgres/verify/deliveries.ts';
import { otpChecks } from '../../../../infra/postgres/verify/checks.ts';
import { otpIntake } from '../../../../infra/postgres/verify/intake.ts';
import { otpJobs } from '../../../../infra/postgres/verify/otp-jobs.ts';
import { paidAttempts } from '../../../../infra/postgres/verify/paid-attempts.ts';
import { telegramChats } from '../../../../infra/postgres/telegram/chats.ts';
import { projectCache } from '../../../../infra/postgres/project/cache.ts';
import { verifications } from '../../../../infra/postgres/verify/verifications.ts';
import { textModeration } from '../../../../infra/postgres/verify/text-moderation.ts';
import { guard } from '../../../../infra/providers/provider-guard.ts';
import { type OtpSendDeps, otpSendWake } from '../../../../workers/verify/otp-send.ts';
import type { OpenDatabase } from '../../../support/servers.ts';
import { routingWith } from './sms-routing.ts';
import { legOf } from '../../../../domain/verify/step.ts';
import { settles } from '../../../../infra/postgres/settles.ts';
import { openGround } from '../world.ts';
import { ownSend } from '../../../../domain/verify/send-command.ts';

/** What a provider answers, decided by the test, so that two things can be made to happen at one moment. */
export type Answering = (message: CodeMessage) => Promise<SendReply>;

/** The ports of one-time codes over a real Postgres, in this process: for moments that processes can't be held at. */
export async function openWorld(given?: OpenDatabase) {
  const ground = await openGround(given);
  const { pool, hash, ring } = ground;
  const now = () => new Date();
  const code = codeOf(ring);
  const intakeDeps = {
    pool,
    hash,
    codeKid: 'k1',
    numberOf: numberOf(ring),
    providers: new Set<Channel>(['push', 'telegram', 'telegram-gateway', 'sms']),
    sms: routingWith('twilio'),
    now,
    outbox: { publish: () => undefined, takePublished: () => [] },
  };
  const world = {
    ...ground,
    intakeDeps,
    intake: otpIntake(intakeDeps),
    checks: otpChecks({ pool, hash, encryption: ground.rowEncryption, codeOf: code, codeKid: 'k1', now }),
    store: jobStore(pool, now, settles['otp-send']),
    paid: paidAttempts(pool, now),
    deliveries: deliveries(pool, now),
    verifications: verifications(pool, now),
    jobs: otpJobs(pool, ground.rowEncryption),
    codeOf: code,
    numberOf: numberOf(ring),
  };
  return {
    ...world,
    wake: (answers: Partial<Record<Channel, Answering>>) => wakeWith(world, answers),
  };
}
export type World = Awaited<ReturnType<typeof openWorld>>;

type Sending = Pick<OtpSendDeps, 'jobs' | 'store' | 'paid' | 'codeOf'> & { pool: pg.Pool };

/** One worker's wake-up over these legs; `more` is what a test sets besides. */
export function wakeOver(
  { pool, jobs, store, paid, codeOf: code }: Sending,
  legs: OtpSendDeps['legs'],
  more: Partial<OtpSendDeps> = {},
): (id: JobId) => ReturnType<Wake> {
  const now = () => new Date();
  const wake = otpSendWake({
    jobs,
    store,
    paid,
    chats: telegramChats(pool),
    legs,
    sms: routingWith('twilio'),
    smsScores: null,
    moderation: textModeration(pool, now),
    ownApp: null,
    project: projectCache(pool),
    purposeTexts: new Map(),
    codeOf: code,
    now,
    random: () => 0,
    onAttempt: () => undefined,
    onFinished: () => undefined,
    ...more,
  });
  return (id) => wake(id, new AbortController().signal);
}

/** The same over answers, one for each channel. */
function wakeWith(
  sending: Sending,
  answers: Partial<Record<Channel, Answering>>,
): (id: JobId) => ReturnType<Wake> {
  const now = () => new Date();
  const legs = Object.entries(answers).map(([name, send]) => {
    const channel = name as Channel;
    const provider = channel === 'sms' ? 'twilio' : channel;
    const guarded = guard({ channel, provider, send }, { inFlightMax: 100, clock: now });
    return [legOf(guarded), guarded] as const;
  });
  return wakeOver(sending, new Map(legs));
}

/** A send order with its usual values. */
export function orderFor(
  caller: SendOrder['caller'],
  to: string,
  command: Partial<SendOrder['command']> = {},
  key: string | null = null,
): SendOrder {
  const phone = parsePhone(to);
  if (!phone) throw new Error(`${to} is no number`);
  return {
    caller,
    command: ownSend({ phone, mode: 'live', channels: ['sms'], purpose: 'verify', ...command }),
    asker: { kind: 'service' },
    destination: { phone: phone.e164 },
    idempotency: key === null ? null : { key, bodyHash: 'ab'.repeat(32) },
    requestId: 'test',
  };
}

/** Sends and gives the ids, or fails. */
export async function sendCode(world: World, order: SendOrder) {
  const answer = await world.intake.accept(order);
  if (answer.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  const { rows } = await world.pool.query<{ code_generation: number; purpose: string; code_length: number }>(
    'select code_generation, purpose, code_length from verification where id = $1',
    [answer.id],
  );
  const [row] = rows;
  if (!row) throw new Error('no such verification');
  const code = world.codeOf({
    id: answer.id,
    projectId: order.caller.projectId,
    purpose: row.purpose,
    codeKid: 'k1',
    codeGeneration: row.code_generation,
    codeLength: row.code_length,
  });
  return { id: answer.id, jobId: answer.jobId, code };
}

/** How often Postgres broke a circle of waiting transactions in this database. */
export async function deadlocksOf({ pool }: Pick<World, 'pool'>): Promise<number> {
  await pool.query('select pg_stat_force_next_flush()');
  const { rows } = await pool.query<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  );
  return Number(rows[0]?.deadlocks);
}

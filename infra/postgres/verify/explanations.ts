import type pg from 'pg';
import type {
  ExplainedApproval,
  ExplainedChallenge,
  ExplainedEvent,
  ExplainedSend,
  ExplainedVerification,
  Explanation,
  Explanations,
} from '../../../domain/identity/approval/explain.ts';
import { DevicePublicKey } from '../../../domain/identity/device/public-key.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { verifySignature } from '../../identity/device/signature.ts';
import { statementOf } from '../../identity/device/statement.ts';

/** What is kept of one verification, and each signature checked anew. */
export function explanations(pool: pg.Pool): Explanations {
  return {
    explain: async (id) => {
      const verification = await readVerification(pool, id);
      const approvals = await readApprovals(pool, id);
      if (!verification && approvals.length === 0) return null;
      const sends = await readSends(pool, id);
      const challenges = await readChallenges(pool, id);
      const events = verification ? await readEvents(pool, id, verification.createdAt) : [];
      return { id, verification, sends, challenges, approvals, events } satisfies Explanation;
    },
  };
}

async function readVerification(pool: pg.Pool, id: string): Promise<ExplainedVerification | null> {
  const { rows } = await pool.query<Omit<ExplainedVerification, 'to'> & { phone: string | null }>(
    `select p.slug project, v.purpose, v.mode, v.state, v.phone, v.channels, v.payment, v.client, v.checks_used "checksUsed",
       v.created_at "createdAt", v.expires_at "expiresAt", v.closed_at "closedAt"
     from verification v join project p on p.id = v.project_id where v.id = $1`,
    [id],
  );
  const [row] = rows;
  if (!row) return null;
  const { phone, ...verification } = row;
  return { ...verification, to: phone === null ? null : maskPhone(phone) };
}

/** Postgres writes times inside JSON as text. */
type Texts<Row, Times extends keyof Row> = Omit<Row, Times> & Readonly<Record<Times, string | null>>;
const timeOf = (text: string | null) => (text === null ? null : new Date(text));

type BlockText = Texts<NonNullable<ExplainedSend['block']>, 'at' | 'until'>;
type AttemptText = Texts<ExplainedSend['attempts'][number], 'openedAt' | 'closedAt' | 'deliveryAt'>;

/** A verification has a handful of sends, held by its limits; the bounds here are for the statements' sake. */
async function readSends(pool: pg.Pool, id: string): Promise<ExplainedSend[]> {
  const { rows } = await pool.query<
    Omit<ExplainedSend, 'attempts' | 'block'> & { attempts: AttemptText[]; block: BlockText | null }
  >(
    `select j.id "jobId", j.request_id "requestId", j.state, j.reason, (
       select json_build_object('at', b.at, 'reason', b.reason, 'until', b.until, 'factors', b.factors) from risk_block b where b.job_id = j.id) block, j.accepted_at "acceptedAt", j.finished_at "finishedAt", coalesce((
       select json_agg(json_build_object('n', a.n, 'channel', a.channel, 'provider', a.provider, 'outcome', a.outcome, 'reason', a.reason,
         'delivery', a.delivery, 'reference', a.provider_reference, 'parts', a.parts, 'priceMicros', a.price_micros::text,
         'priceCurrency', a.price_currency, 'chosen', a.chosen, 'openedAt', a.opened_at, 'closedAt', a.closed_at, 'deliveryAt', a.delivery_at) order by a.n)
       from attempt a where a.job_id = j.id), '[]') attempts
     from job j where j.subject_id = $1 order by j.id limit 100`,
    [id],
  );
  return rows.map((row) => ({
    ...row,
    block: row.block && {
      ...row.block,
      at: new Date(row.block.at ?? 0),
      until: new Date(row.block.until ?? 0),
    },
    attempts: row.attempts.map((attempt) => ({
      ...attempt,
      openedAt: new Date(attempt.openedAt ?? 0),
      closedAt: timeOf(attempt.closedAt),
      deliveryAt: timeOf(attempt.deliveryAt),
    })),
  }));
}

async function readChallenges(pool: pg.Pool, id: string): Promise<ExplainedChallenge[]> {
  const { rows } = await pool.query<ExplainedChallenge>(
    `select id, job_id "jobId", state, person_id is not null "isSomebodys", pushed, created_at "createdAt", fetched_at "fetchedAt"
     from challenge where verification_id = $1 order by id limit 100`,
    [id],
  );
  return rows;
}

async function readApprovals(pool: pg.Pool, id: string): Promise<ExplainedApproval[]> {
  const { rows } = await pool.query<
    Omit<ExplainedApproval, 'signature' | 'signatureHolds'> & { signature: Buffer }
  >(
    `select challenge_id "challengeId", device_id "deviceId", result, statement, signature, public_key "publicKey", at
     from approval where verification_id = $1 order by at limit 100`,
    [id],
  );
  return rows.map((row) => ({
    ...row,
    signature: row.signature.toString('base64url'),
    signatureHolds: holds(row),
  }));
}

/** Over the text as it was kept: nothing is written anew that a mistake could mend. */
function holds({
  publicKey,
  statement,
  signature,
}: {
  publicKey: unknown;
  statement: string;
  signature: Buffer;
}) {
  const key = DevicePublicKey.safeParse(publicKey).data;
  return key !== undefined && verifySignature(key, statementOf('navbat-approval-v1', statement), signature);
}

interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly happenedAt: Date;
  readonly deliveries: readonly Texts<ExplainedEvent['deliveries'][number], 'at'>[];
}

/** By the project and the time, which the table is indexed by: none is older than the verification. */
async function readEvents(pool: pg.Pool, id: string, since: Date): Promise<ExplainedEvent[]> {
  const { rows } = await pool.query<EventRow>(
    `select e.id, e.type, e.happened_at "happenedAt", coalesce((
       select json_agg(json_build_object('url', d.url, 'n', d.n, 'outcome', d.outcome, 'statusCode', d.status_code, 'at', d.at) order by d.at)
       from webhook_delivery d where d.event_id = e.id), '[]') deliveries
     from verification v join webhook_event e on e.project_id = v.project_id and e.mode = v.mode and e.happened_at >= $2 and e.subject_id = v.id
     where v.id = $1 order by e.happened_at limit 100`,
    [id, since],
  );
  return rows.map((row) => ({
    ...row,
    deliveries: row.deliveries.map((delivery) => ({ ...delivery, at: new Date(delivery.at ?? 0) })),
  }));
}

import type pg from 'pg';
import { type AnswerOutcome, decideAnswer } from '../../../domain/identity/approval/answer.ts';
import {
  approvalStatement,
  type Challenge,
  type ChallengeAnswer,
  type ChallengeContext,
  type ChallengeId,
  type ChallengeState,
  type SignatureHolds,
} from '../../../domain/identity/approval/challenge.ts';
import type { Answerer, Challenges } from '../../../domain/identity/approval/port.ts';
import { REPORT_PAUSE_SECONDS } from '../../../domain/identity/approval/push-limits.ts';
import type { DevicePublicKey } from '../../../domain/identity/device/public-key.ts';
import { isAskedByApp } from '../../../domain/verify/sign-in-sends.ts';
import type { JobId, ProjectId } from '../../../domain/shared/ids.ts';
import { OWN_APP_PROVIDER } from '../../../domain/verify/channel.ts';
import type { Deliveries } from '../../../domain/verify/deliveries.ts';
import { otpSend } from '../../../domain/verify/job.ts';
import { movesMoney, type Payment } from '../../../domain/shared/payment.ts';
import type { Phone } from '../../../domain/shared/phone.ts';
import { stateAt, type VerificationState } from '../../../domain/verify/verification.ts';
import { pageOf } from '../../../domain/shared/page.ts';
import { visibleLine } from '../../../domain/shared/visible-line.ts';
import type { NumberOf } from '../../verify/codes.ts';
import type { KeyedHash } from '../../process/crypto.ts';
import { countFinished } from '../../process/metrics.ts';
import { statementJson } from '../../identity/device/statement.ts';
import { approve } from './approve.ts';
import { holdDestinations, liftLocks } from './destinations.ts';
import { linkRecipient } from '../identity/person/persons.ts';
import { inTransaction } from '../engine/transaction.ts';

export interface ChallengesDeps {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  readonly numberOf: NumberOf;
  readonly signatureHolds: SignatureHolds;
  /** Where it is recorded that a push was seen. */
  readonly deliveries: Deliveries;
  /** The job waits for this and is due now. */
  readonly wake: (jobId: JobId) => void;
}

export function challenges(deps: ChallengesDeps): Challenges {
  return {
    list: async (personId, { limit, after }, now) => {
      const { rows } = await deps.pool.query<ChallengeRow>(listWaiting, [personId, now, after, limit + 1]);
      return pageOf(rows.map(toChallenge), limit);
    },
    fetch: async (personId, id, now) => {
      const { rows } = await deps.pool.query<ChallengeRow & SeenRow>(fetchOne, [personId, id, now]);
      const [row] = rows;
      if (!row) return null;
      if (row.known && row.n !== null) await confirmSeen(deps, row, row.n, now);
      return toChallenge(row);
    },
    answer: (who, id, given, now) => answer(deps, who, id, given, now),
  };
}

interface ChallengeRow {
  readonly id: ChallengeId;
  readonly state: ChallengeState;
  readonly project_id: ProjectId;
  readonly project_name: string;
  readonly known: boolean;
  readonly purpose: string;
  readonly payment: Payment | null;
  readonly client: { readonly ip?: string; readonly user_agent?: string } | null;
  readonly created_at: Date;
  readonly expires_at: Date;
}
interface SeenRow {
  readonly job_id: JobId;
  /** The attempt that it is the push of. */
  readonly n: number | null;
}

const columns = `
c.id, c.state, c.project_id, coalesce(p.settings ->> 'display_name', p.slug) project_name, v.purpose, v.payment, v.client, c.created_at, c.expires_at,
exists (select from recipient r where r.project_id = c.project_id and r.person_id = c.person_id) known`;
const joins = `join project p on p.id = c.project_id join verification v on v.id = c.verification_id`;

/** Whoever lost the phone since it was asked answers for it no more (X16), whichever of their devices still signs. */
const isTheirs = `coalesce((select person_id from person_phone where address_hash = v.address_hash), c.person_id) = c.person_id`;

/** A later send has a challenge of its own. */
const listWaiting = `
with waiting as (
  select ${columns} from challenge c ${joins}
  where c.person_id = $1 and c.state = 'pending' and c.expires_at > $2 and v.state = 'live' and v.job_id = c.job_id and ${isTheirs})
select * from waiting where $3::uuid is null or (known, id) < ((
  select exists (select from recipient r where r.project_id = c.project_id and r.person_id = c.person_id) from challenge c where c.id = $3), $3)
order by known desc, id desc limit $4`;

const fetchOne = `
with seen as (
  update challenge c set fetched_at = coalesce(c.fetched_at, $3) from verification v
  where c.id = $2 and c.person_id = $1 and v.id = c.verification_id and ${isTheirs} returning c.*)
select ${columns}, c.job_id, (select max(n) from attempt a where a.job_id = c.job_id and a.provider = '${OWN_APP_PROVIDER}') n
from seen c ${joins}`;

function toChallenge(row: ChallengeRow): Challenge {
  return {
    id: row.id,
    state: row.state,
    project: { id: row.project_id, name: row.project_name },
    known: row.known,
    purpose: row.purpose,
    context: contextOf(row),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}

const contextOf = ({ client, payment }: Pick<ChallengeRow, 'client' | 'payment'>): ChallengeContext => ({
  client: client && { ip: client.ip ?? null, user_agent: shownAgent(client.user_agent) },
  payment,
});

/** Whoever asks wrote it, and a person reads it above the button. */
const shownAgent = (userAgent: string | undefined) =>
  userAgent === undefined ? null : visibleLine(userAgent);

/** The app shows it: the chain need not go on, and the project may know, since the person approved for it before. */
async function confirmSeen(
  { deliveries, wake }: ChallengesDeps,
  { id, job_id: jobId }: ChallengeRow & SeenRow,
  n: number,
  now: Date,
): Promise<void> {
  const recorded = await deliveries.record({
    jobId,
    attempt: n,
    provider: OWN_APP_PROVIDER,
    reference: id,
    report: { status: 'read', reason: null, at: now, refunded: false },
  });
  if (recorded === 'wake') wake(jobId);
}

interface AnswerRow extends ChallengeRow {
  readonly job_id: JobId;
  readonly verification_id: string;
  readonly verification_state: VerificationState;
  readonly verification_expires_at: Date;
  readonly verification_job_id: JobId;
  readonly code_kid: string;
  readonly address_hash: Buffer;
  readonly phone: Phone | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly bound_at: Date;
  readonly public_key: DevicePublicKey;
  readonly earlier_statement: string | null;
}

interface Answering {
  readonly deps: ChallengesDeps;
  readonly tx: pg.PoolClient;
  readonly who: Answerer;
  readonly row: AnswerRow;
  readonly now: Date;
}

/** Held first, so that of two answers the second finds the first. */
const holdChallenge = `
select ${columns}, c.job_id, c.verification_id, v.state verification_state, v.expires_at verification_expires_at, v.job_id verification_job_id,
  v.code_kid, v.address_hash, v.phone, v.metadata, d.bound_at, d.public_key,
  (select a.statement from approval a where a.challenge_id = c.id and a.device_id = d.id) earlier_statement
from challenge c ${joins} join device d on d.id = $3 and d.person_id = c.person_id
where c.id = $2 and c.person_id = $1 and d.kind = 'app' and d.bound_at is not null and d.revoked_at is null and ${isTheirs}
for update of c`;

function answer(
  deps: ChallengesDeps,
  who: Answerer,
  id: ChallengeId,
  given: ChallengeAnswer,
  now: Date,
): ReturnType<Challenges['answer']> {
  return inTransaction(deps.pool, async (tx) => {
    // Before the challenge, as the announcer does: or each would hold what the other waits for.
    await tx.query('select from person where id = $1 for no key update', [who.personId]);
    const { rows } = await tx.query<AnswerRow>(holdChallenge, [who.personId, id, who.deviceId]);
    const [row] = rows;
    if (!row) return { outcome: 'unknown' };
    const statement = approvalStatement(toChallenge(row), given.decision, given.number ?? null);
    const decided = decide(deps, row, statement, given, now);
    if (!('repeated' in decided) || decided.repeated) return decided;
    const settled = await settle({ deps, tx, who, row, now }, decided.outcome);
    if (!settled) return { outcome: 'closed' };
    await keep({ deps, tx, who, row, now }, decided.outcome, statement, given.signature);
    return decided;
  });
}

function decide(
  { numberOf, signatureHolds }: ChallengesDeps,
  row: AnswerRow,
  statement: object,
  given: ChallengeAnswer,
  now: Date,
): AnswerOutcome {
  const { verification_state: state, verification_expires_at: expiresAt } = row;
  return decideAnswer(
    {
      state: row.state,
      expiresAt: row.expires_at,
      isAwaited: stateAt({ state, expiresAt }, now) === 'live',
      superseded: row.verification_job_id !== row.job_id,
      movesMoney: movesMoney(row.purpose, row.payment),
      deviceBoundAt: row.bound_at,
      number: numberOf({ kid: row.code_kid, jobId: row.job_id }),
      signatureHolds: signatureHolds(row.public_key, statement, given.signature),
      repeats: row.earlier_statement === statementJson(statement),
    },
    given,
    now,
  );
}

/** All that follows from an answer; false where the verification was closed meanwhile, and the answer uses nothing up. */
async function settle(answering: Answering, outcome: Exclude<ChallengeState, 'pending'>): Promise<boolean> {
  const { tx, who, row, now } = answering;
  if (outcome === 'approved' && !(await settleApproved(answering))) return false;
  // Before the person approved for a project, it hears of no answer but that; and whoever has its app's key never does.
  if ((outcome === 'denied' || outcome === 'reported') && row.known && !isAskedByApp(row.metadata))
    await deny(answering);
  if (outcome === 'reported')
    await tx.query('update person set pushes_paused_until = $2 where id = $1', [
      who.personId,
      new Date(now.getTime() + REPORT_PAUSE_SECONDS * 1_000),
    ]);
  await tx.query('update challenge set state = $2, answered_at = $3 where id = $1', [row.id, outcome, now]);
  return true;
}

/** The same as a right code; and the person opens what others locked, and lets the project know them from now on. */
async function settleApproved({ deps, tx, who, row, now }: Answering): Promise<boolean> {
  const { verification_id: id, address_hash: addressHash, project_id: projectId, phone } = row;
  const { personId } = who;
  await holdDestinations(tx, personId, { addressHash, projectId });
  await liftLocks(tx, personId, { projectId, deviceId: who.deviceId }, now);
  const stopped = await approve(tx, { id, addressHash, projectId, from: ['live'] }, now);
  if (stopped === null) return false;
  countFinished(otpSend.kind, 'completed', stopped);
  const shown = phone === null ? undefined : { phone };
  await linkRecipient({ tx, hash: deps.hash, now }, { personId, projectId, mode: 'live', shown });
  return true;
}

async function deny({ tx, row, now }: Answering): Promise<void> {
  const { rows } = await tx.query<{ stopped: number }>(denyVerification, [row.verification_id, now]);
  countFinished(otpSend.kind, 'cancelled', rows[0]?.stopped ?? 0);
}

const denyVerification = `
with denied as (update verification set state = 'denied', closed_at = $2 where id = $1 and state = 'live' returning job_id),
stopped as (
  update job j set state = 'cancelled', reason = 'denied', finished_at = $2 from denied
  where j.id = denied.job_id and j.finished_at is null returning j.id)
select count(*)::int stopped from stopped`;

/** What was signed, and by which key, in a row that is never changed and needs no other to be read. */
async function keep(
  { tx, who, row, now }: Answering,
  result: Exclude<ChallengeState, 'pending'>,
  statement: object,
  signature: string,
): Promise<void> {
  await tx.query(
    `insert into approval (challenge_id, verification_id, project_id, person_id, device_id, result, statement, signature, public_key, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      row.id,
      row.verification_id,
      row.project_id,
      who.personId,
      who.deviceId,
      result,
      statementJson(statement),
      Buffer.from(signature, 'base64url'),
      row.public_key,
      now,
    ],
  );
}

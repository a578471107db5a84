import type { EntityManager, QBFilterQuery } from '@mikro-orm/postgresql';
import type { JobRegistry } from '../../../domain/job/define-job.ts';
import { isFinal, type JobState } from '../../../domain/job/job.ts';
import { JobId, type ProjectId } from '../../../domain/shared/ids.ts';
import type { AttemptView, JobFilter, JobReader, JobView } from '../../../domain/job/port.ts';
import { addressText, type Destination } from '../../../domain/shared/address.ts';
import { pageOf } from '../../../domain/shared/page.ts';
import { type KeyMode, keyModes } from '../../../domain/project/key.ts';
import type { KeyedHash } from '../../process/crypto.ts';
import { Recipient } from '../identity/entities.ts';
import { Attempt, Job } from './entities.ts';
import { idFloor } from './filter.ts';

/** Everything of a job but its payload. */
const jobFields = [
  'id',
  'kind',
  'state',
  'reason',
  'subjectId',
  'labels',
  'attempts',
  'runAt',
  'deadlineAt',
  'acceptedAt',
  'finishedAt',
  'requestId',
] as const;
type JobRow = Pick<Job, (typeof jobFields)[number]>;

/** `em` is forked for each call. */
export function jobReader(em: EntityManager, keyedHash: KeyedHash, jobs: JobRegistry): JobReader {
  const untimed = new Set(Object.values(jobs).flatMap((job) => job.untimed ?? []));
  return {
    async find({ projectId, mode }, id) {
      const fork = em.fork();
      const row = await fork.findOne(Job, { id, project: projectId, mode }, { fields: jobFields });
      if (!row) return null;
      const attempts = await fork.find(Attempt, { job: id }, { orderBy: { n: 'asc' } });
      return { job: jobView(row), attempts: attempts.map((row) => attemptView(row, untimed)) };
    },

    async list({ projectId, mode }, filter, { limit, after }) {
      const fork = em.fork();
      const addresses = await addressesOf(fork, projectId, filter.recipient, keyedHash);
      if (addresses?.length === 0) return { rows: [], next: null };
      const where = jobsWhere({ projectId, mode }, filter, addresses, after);
      const rows = await jobsQuery(fork, where, limit + 1).getResultList();
      return pageOf(rows.map(jobView), limit);
    },
  };
}

/** An id is made a moment before the row that it names, by another clock perhaps. */
const CLOCK_SLACK_MS = 60_000;

/** In the order of the indexes that begin with the project, so that no other is read through for it. */
export const jobsQuery = (em: EntityManager, where: QBFilterQuery<Job>, limit: number) =>
  em
    .createQueryBuilder(Job, 'job')
    .select(jobFields)
    .where(where)
    .orderBy({ project: 'desc', id: 'desc' })
    .limit(limit);

/**
 * Within a project, jobs lie in the order of their ids (`job_project`), which is that of time, so that a page is one short
 * scan of that index, also of a day long ago. The project
 * is named twice: of one value Postgres knows that it orders nothing, and may walk the primary key over all that other projects
 * have sent since.
 */
export function jobsWhere(
  { projectId, mode }: { projectId: ProjectId; mode: KeyMode },
  { kind, state, from, to }: JobFilter,
  addresses: readonly Buffer[] | null,
  after: string | null,
): QBFilterQuery<Job> {
  const and: QBFilterQuery<Job>[] = [{ project: { $in: [projectId, projectId] }, mode }];
  if (kind !== undefined) and.push({ kind });
  if (state !== undefined) and.push(stateWhere(state));
  if (addresses !== null) and.push({ addressHash: { $in: [...addresses] } });
  if (after !== null) and.push({ id: { $lt: after } });
  if (from)
    and.push({
      acceptedAt: { $gte: from },
      id: { $gte: idFloor(new Date(Math.max(0, from.getTime() - CLOCK_SLACK_MS))) },
    });
  if (to)
    and.push({ acceptedAt: { $lt: to }, id: { $lt: idFloor(new Date(to.getTime() + CLOCK_SLACK_MS)) } });
  return { $and: and };
}

/** In the words of the index that holds the few: what failed, and what is not finished. */
function stateWhere(state: JobState): QBFilterQuery<Job> {
  if (state === 'completed') return { state };
  return isFinal(state) ? { failedAs: state } : { state, finishedAt: null };
}

/** Keys of whom a job was for, in either mode; null for everybody. */
async function addressesOf(
  em: EntityManager,
  projectId: ProjectId,
  recipient: JobFilter['recipient'],
  keyedHash: KeyedHash,
): Promise<readonly Buffer[] | null> {
  if (recipient === undefined) return null;
  const both = (destination: Destination) =>
    keyModes.map((mode) => keyedHash('address', addressText(destination, mode)));
  if ('phone' in recipient) return both(recipient);
  const row = await em.findOne(Recipient, { id: recipient.id, project: projectId });
  if (!row) return [];
  return [
    Buffer.from(row.addressHash),
    ...both(row.phone ? { phone: row.phone } : { recipientId: recipient.id }),
  ];
}

function jobView(row: JobRow): JobView {
  return {
    id: JobId.parse(row.id),
    kind: row.kind,
    state: row.state,
    reason: row.reason ?? null,
    subjectId: row.subjectId,
    labels: row.labels,
    attemptCount: row.attempts,
    runAt: row.runAt,
    deadlineAt: row.deadlineAt,
    acceptedAt: row.acceptedAt,
    finishedAt: row.finishedAt ?? null,
    requestId: row.requestId ?? null,
  };
}

function attemptView(row: Attempt, untimed: ReadonlySet<string>): AttemptView {
  const isUntimed = untimed.has(row.provider);
  const closedAt = row.closedAt ?? null;
  return {
    n: row.n,
    channel: row.channel ?? null,
    provider: row.provider,
    outcome: row.outcome ?? null,
    reason: row.reason ?? null,
    providerReference: row.providerReference ?? null,
    costMicros: row.costMicros ?? null,
    costCurrency: row.costCurrency ?? null,
    parts: row.parts ?? null,
    priceMicros: row.priceMicros ?? null,
    priceCurrency: row.priceCurrency ?? null,
    chosen: row.chosen ?? null,
    chosenAfter: row.chosenAfter ?? null,
    latencyMs: isUntimed ? null : (row.latencyMs ?? null),
    providerMessage: row.providerMessage ?? null,
    delivery: row.delivery ?? null,
    deliveryReason: row.deliveryReason ?? null,
    deliveryAt: row.deliveryAt ?? null,
    openedAt: row.openedAt,
    closedAt: isUntimed && closedAt ? row.openedAt : closedAt,
  };
}

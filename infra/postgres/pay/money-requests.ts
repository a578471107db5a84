import type { AnsweredRequest, MoneyAnswer, MoneyRequest } from '../../../domain/pay/money-request.ts';
import type { Queryable } from '../engine/transaction.ts';

interface MoneyWork {
  readonly work: () => Promise<MoneyAnswer>;
  /** What the caller is told of an error that the work threw; null where it is no refusal, and the whole request fails. */
  readonly refusalOf: (error: unknown) => MoneyAnswer | null;
}

/**
 * Does the work once for each person and key, and answers every repeat as the first time, however late it comes. In the caller's
 * transaction (read committed), whose commit holds the work and its answer: a twin that comes meanwhile waits for that commit on the primary key,
 * and where it is rolled back does the work itself.
 */
export async function answerOnce(
  tx: Queryable,
  request: MoneyRequest,
  { work, refusalOf }: MoneyWork,
): Promise<AnsweredRequest> {
  const { projectId, personId, key, bodyHash, at } = request;
  const { rows } = await tx.query<{ isCard: boolean }>(keyHoldsCard, [key]);
  if (rows[0]?.isCard !== false) return { ok: false, reason: 'idempotency-key-is-card' };
  const { rowCount } = await tx.query(claim, [projectId, personId, key, bodyHash, at]);
  if (rowCount !== 1) return answeredBefore(tx, request);
  const answer = await answerOrRefusal(tx, work, refusalOf);
  await tx.query('select money_request_answer($1, $2, $3, $4, $5)', [
    projectId,
    personId,
    key,
    answer.status,
    JSON.stringify(answer.body),
  ]);
  return { ok: true, answer, repeated: false };
}

/** Before it is kept. The client is told, since it is the client's own to choose. */
const keyHoldsCard = `select holds_card_number($1) as "isCard"`;

const claim = `
insert into money_request (project_id, person_id, key, body_hash, at) values ($1, $2, $3, $4, $5) on conflict do nothing`;

/** A refusal that was thrown takes back what the work had written, and nothing else: the request stays, and keeps its answer. */
async function answerOrRefusal(
  tx: Queryable,
  work: MoneyWork['work'],
  refusalOf: MoneyWork['refusalOf'],
): Promise<MoneyAnswer> {
  await tx.query('savepoint money_work');
  try {
    const answer = await work();
    await tx.query('release savepoint money_work');
    return answer;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    await tx.query('rollback to savepoint money_work');
    return refusal;
  }
}

interface KeptRow {
  readonly same: boolean;
  readonly status: number | null;
  readonly answer: unknown;
}

/** A statement of its own: its snapshot is younger than the wait for the twin. */
async function answeredBefore(
  tx: Queryable,
  { projectId, personId, key, bodyHash }: MoneyRequest,
): Promise<AnsweredRequest> {
  const { rows } = await tx.query<KeptRow>(kept, [projectId, personId, key, bodyHash]);
  const [row] = rows;
  if (!row) throw new Error('a request about money is there and cannot be read');
  if (!row.same) return { ok: false, reason: 'idempotency-key-reused' };
  if (row.status === null) throw new Error('a request about money asks itself');
  return { ok: true, answer: { status: row.status, body: row.answer }, repeated: true };
}

const kept = `
select body_hash = $4 as same, status, answer from money_request where project_id = $1 and person_id = $2 and key = $3`;

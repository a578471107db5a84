import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import type { AnsweredRequest, MoneyAnswer, MoneyRequest } from '../../../domain/pay/money-request.ts';
import type { MoneyRefusal } from '../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { Problem } from '../problem.ts';
import type { Answer, OpenRequest } from '../route.ts';
import { moneyProblem } from './money-problem.ts';

/** What asks: a person, an API key or a member of staff, each with keys of their own. */
interface Asker {
  readonly project: ProjectId;
  readonly id: string;
}

/**
 * The request under its Idempotency-Key.
 *
 * @param what the route, so that one key does not stand for two sorts of request.
 * @param asked what is asked with its defaults filled in, as JSON: what means the same hashes the same (RFC 8785).
 */
export function moneyRequest(
  { idempotencyKey, now }: Pick<OpenRequest<unknown, unknown, unknown>, 'idempotencyKey' | 'now'>,
  { project, id }: Asker,
  what: string,
  asked: unknown,
): MoneyRequest {
  if (idempotencyKey === null) throw new Error('a route about money does not ask for an Idempotency-Key');
  const text = canonicalize({ what, asked });
  if (text === undefined) throw new Error('a request is JSON');
  const bodyHash = createHash('sha256').update(text).digest();
  return { projectId: project, personId: id, key: idempotencyKey, bodyHash, at: now };
}

/** As a refusal is kept: a later version may say it in other words. */
export const refusedAnswer = (refusal: MoneyRefusal): MoneyAnswer => ({
  status: moneyProblem(refusal).status,
  body: { refusal },
});

/** @throws Problem where it was refused, now or the first time. */
export function keptAnswer(answered: AnsweredRequest): Answer & { readonly repeated: boolean } {
  if (!answered.ok) throw keyProblems[answered.reason]();
  const { answer, repeated } = answered;
  const headers = repeated ? { 'Idempotent-Replayed': 'true' } : {};
  const refusal = refusalIn(answer.body);
  if (refusal === null) return { ...answer, headers, repeated };
  const { status, type, message, extra } = moneyProblem(refusal);
  throw new Problem(status, type, message, { extra, headers });
}

const refusalIn = (body: unknown): MoneyRefusal | null =>
  typeof body === 'object' && body !== null && 'refusal' in body ? (body.refusal as MoneyRefusal) : null;

const keyProblems = {
  'idempotency-key-reused': () =>
    new Problem(422, 'idempotency-key-reused', 'This key was used for another request about money.'),
  'idempotency-key-is-card': () =>
    new Problem(400, 'idempotency-key-is-card', 'The Idempotency-Key holds the number of a card.', {
      errors: [{ pointer: 'Idempotency-Key', detail: 'expected no number of a card, such as a UUID' }],
    }),
} as const;

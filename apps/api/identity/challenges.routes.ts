import { z } from 'zod';
import type { AnswerRefusal } from '../../../domain/identity/approval/answer.ts';
import {
  type Challenge,
  ChallengeAnswer,
  ChallengeId,
  MONEY_DEVICE_AGE_SECONDS,
  ShownState,
  shownState,
} from '../../../domain/identity/approval/challenge.ts';
import type { Challenges } from '../../../domain/identity/approval/port.ts';
import type { DeviceId } from '../../../domain/identity/device/device.ts';
import { Payment } from '../../../domain/shared/payment.ts';
import { FORGED_ANSWERS_PER_MINUTE } from '../../../domain/project/quota.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import type { ProblemType } from '../../../domain/reasons.ts';
import { Time } from '../../../domain/shared/time.ts';

export interface ChallengeRouteDeps {
  readonly challenges: Challenges;
  readonly now: () => Date;
}

/** What a person is asked to approve, on their device. */
export function challengeRoutes(deps: ChallengeRouteDeps): Route[] {
  return [listRoute(deps), fetchRoute(deps), answerRoute(deps)];
}

const ChallengeBody = z.object({
  id: ChallengeId,
  state: ShownState,
  project: z
    .object({ id: z.uuid(), name: z.string() })
    .meta({ description: 'Who asks. The statement that is signed holds it as it stands here.' }),
  known: z.boolean().meta({ description: 'The person approved for this project before.' }),
  purpose: z.string(),
  context: z
    .object({
      client: z.object({ ip: z.string().nullable(), user_agent: z.string().nullable() }).nullable(),
      payment: Payment.nullable(),
    })
    .meta({
      description:
        'From where it is asked, as the project saw it, and what is paid to whom. The statement holds it as it stands here.',
    }),
  created_at: Time,
  expires_at: Time,
});

const challengeBody = (challenge: Challenge, now: Date) => ({
  id: challenge.id,
  state: shownState(challenge.state, challenge.expiresAt, now),
  project: challenge.project,
  known: challenge.known,
  purpose: challenge.purpose,
  context: challenge.context,
  created_at: challenge.createdAt.toISOString(),
  expires_at: challenge.expiresAt.toISOString(),
});

/** Enough to choose one; what it asks in full is fetched, and then counts as seen. */
const ListedBody = ChallengeBody.omit({ context: true });

function listedBody(challenge: Challenge, now: Date) {
  const { context: _context, ...listed } = challengeBody(challenge, now);
  return listed;
}

const shared = { tag: 'Approvals', session: 'device' } as const;
const ById = z.object({ id: ChallengeId });

const listRoute = (deps: ChallengeRouteDeps) =>
  definePersonRoute({
    ...shared,
    method: 'get',
    path: '/me/challenges',
    summary: 'What waits for an answer',
    description:
      'Those of projects that the person approved for before come first. Pushes may be held back; this list never is.',
    query: z.object(pageQuery),
    answers: { 200: { description: 'A page of them.', schema: pageSchema(ListedBody) } },
    async handle({ query, person }) {
      const at = deps.now();
      const page = await deps.challenges.list(person.personId, pageOrder(query), at);
      return { status: 200, body: pageBody(page, (one) => listedBody(one, at)) };
    },
  });

const fetchRoute = (deps: ChallengeRouteDeps) =>
  definePersonRoute({
    ...shared,
    method: 'get',
    path: '/me/challenges/{id}',
    summary: 'What is asked, by whom, and from where',
    description: 'It does not contain the number that the person must type: only the requester shows it.',
    params: ById,
    answers: { 200: { description: 'The challenge, whatever became of it.', schema: ChallengeBody } },
    problems: [404],
    async handle({ params, person }) {
      const at = deps.now();
      const challenge = await deps.challenges.fetch(person.personId, params.id, at);
      if (!challenge) throw unknown();
      return { status: 200, body: challengeBody(challenge, at) };
    },
  });

const Answered = z.object({ id: ChallengeId, state: z.enum(['approved', 'denied', 'reported']) });

const answerRoute = (deps: ChallengeRouteDeps) =>
  definePersonRoute({
    ...shared,
    method: 'post',
    path: '/me/challenges/{id}/answer',
    summary: 'Approve, deny, or say that it was somebody else',
    description:
      'Signed with the key of the device, over the line `navbat-approval-v1`, a line feed, and the canonical JSON (RFC 8785) of `{ challenge, project, purpose, context, decision, number, expires_at }`: as the challenge says them, with its id as `challenge`, and `number` null where none is sent. A wrong number ends the challenge. `report` keeps pushes away for an hour. The same answer again gets the same answer; a signature that does not hold, or a device too young for money, uses nothing up.',
    params: ById,
    body: ChallengeAnswer,
    answers: { 200: { description: 'It is taken.', schema: Answered } },
    problems: [404, 409, 410, 422],
    async handle({ params, body, person, countFurther }) {
      const deviceId = person.deviceId as DeviceId;
      const who = { personId: person.personId, deviceId };
      const { outcome } = await deps.challenges.answer(who, params.id, body, deps.now());
      // A 429 in place of the 422.
      if (outcome === 'forged')
        await countFurther({ name: 'forged-answer', subject: deviceId, limit: FORGED_ANSWERS_PER_MINUTE });
      if (outcome === 'unknown') throw unknown();
      if (!isTaken(outcome)) throw refusal(outcome);
      return { status: 200, body: { id: params.id, state: outcome } };
    },
  });

/** Of another person and never made read the same. */
const unknown = () => new Problem(404, 'not-found', 'Nothing of this id asks you for approval.');

type Taken = z.infer<typeof Answered>['state'];
const isTaken = (outcome: string): outcome is Taken => Answered.shape.state.safeParse(outcome).success;

const refusals: Readonly<
  Record<AnswerRefusal | 'mismatched', readonly [status: number, type: ProblemType, detail: string]>
> = {
  forged: [
    422,
    'signature-invalid',
    'The signature does not fit this challenge, this answer and the key of this device.',
  ],
  mismatched: [
    422,
    'wrong-number',
    'This is not the number that the requester shows. It has to be asked for again.',
  ],
  answered: [409, 'already-answered', 'This was answered already, and otherwise.'],
  closed: [410, 'closed', 'Nobody waits for this answer any more.'],
  'device-too-young': [
    403,
    'device-too-young',
    `A device may approve money ${MONEY_DEVICE_AGE_SECONDS / 3_600} hours after it was bound.`,
  ],
};

function refusal(reason: AnswerRefusal | 'mismatched'): Problem {
  const [status, type, detail] = refusals[reason];
  return new Problem(status, type, detail);
}

import { z } from 'zod';
import { ShownState } from '../../../domain/identity/approval/port.ts';
import { Channel } from '../../../domain/verify/channel.ts';
import type {
  TimelineApproval,
  Verifications,
  TimelineJob,
  VerificationTimeline,
} from '../../../domain/verify/checks.ts';
import { Payment } from '../../../domain/shared/payment.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { endFacts } from '../../../domain/reasons.ts';
import { VerificationState } from '../../../domain/verify/verification.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Chosen, reasonBody, reasonShape } from '../../http/fields.ts';
import { CountedFactors } from '../../http/counted-factors.ts';
import { defineRoute } from '../../http/route.ts';
import { checkProblem } from './otp-problems.ts';
import { ById } from '../../http/by-id.ts';

export interface TimelineDeps {
  readonly verifications: Verifications;
  /** The code of a live verification, for test keys only. */
  readonly codeOf: (verification: VerificationTimeline['verification']) => string;
}

const Attempt = z.object({
  n: z.int(),
  channel: Channel,
  provider: z.string(),
  outcome: z.string().nullable(),
  ...reasonShape,
  provider_reference: z.string().nullable(),
  cost_micros: z.string().nullable().meta({ description: "Integer of 10^-6 of the currency's unit." }),
  cost_currency: z.string().nullable(),
  parts: z.int().nullable().meta({ description: 'As how many SMS it was billed.' }),
  price_micros: z
    .string()
    .nullable()
    .meta({ description: "What the provider asks, in 10^-6 of its own currency's unit." }),
  price_currency: z.string().nullable().meta({ example: 'UZS' }),
  chosen: Chosen,
  chosen_after: z.string().nullable().meta({
    description: 'Why what was tried or passed by before it did not do: a reason; null for the first.',
    example: 'text-not-moderated',
  }),
  latency_ms: z.int().nullable(),
  delivery: z.string().nullable().meta({ description: 'What the provider reported later.' }),
  delivery_reason: z.string().nullable(),
  delivery_at: Time.nullable(),
  opened_at: Time,
  closed_at: Time.nullable(),
});

const Approval = z.object({ state: ShownState, answered_at: Time.nullable() });

const Timeline = z.object({
  id: z.uuid(),
  status: VerificationState,
  purpose: z.string(),
  payment: Payment.nullable(),
  to: z.string().nullable().meta({ description: 'Masked.' }),
  channels: z.array(Channel),
  locale: z.string(),
  sends: z.int(),
  checks: z.object({ used: z.int(), max: z.int() }),
  created_at: Time,
  expires_at: Time,
  closed_at: Time.nullable(),
  metadata: z.record(z.string(), z.string()).nullable(),
  approval: Approval.nullable().meta({
    description:
      'What became of the push to Navbat’s own app. Null if the person has never approved a request of your project, whether they have the app or not.',
  }),
  code: z.string().optional().meta({ description: 'With test keys only, while the code lives.' }),
  jobs: z.array(
    z.object({
      id: z.uuid(),
      state: z.string(),
      ...reasonShape,
      factors: CountedFactors.nullable().meta({
        description: 'What made up the block, where anti-fraud rules kept a paid message back; else null.',
      }),
      accepted_at: Time,
      finished_at: Time.nullable(),
      attempts: z.array(Attempt),
    }),
  ),
});

export const timelineRoute = (deps: TimelineDeps) =>
  defineRoute({
    method: 'get',
    path: '/otp/{id}',
    tag: 'One-time codes',
    summary: 'A verification and its history',
    scope: 'otp',
    testKeys: 'apart',
    params: ById,
    answers: {
      200: { description: 'Its state, its sends and every attempt on every channel.', schema: Timeline },
    },
    problems: [404],
    async handle({ params, caller }) {
      const timeline = await deps.verifications.timeline(caller.projectId, caller.mode, params.id);
      if (!timeline) throw checkProblem({ kind: 'unknown' });
      return { status: 200, body: timelineBody(deps, timeline) };
    },
  });

const approvalBody = ({ state, answeredAt }: TimelineApproval) => ({
  state,
  answered_at: answeredAt?.toISOString() ?? null,
});

function timelineBody(
  deps: TimelineDeps,
  { verification, phone, metadata, closedAt, approval, jobs }: VerificationTimeline,
) {
  const showsCode = verification.mode === 'test' && verification.state === 'live';
  return {
    id: verification.id,
    status: verification.state,
    purpose: verification.purpose,
    payment: verification.payment,
    to: phone === null ? null : maskPhone(phone),
    channels: verification.channels,
    locale: verification.locale,
    sends: verification.sends,
    checks: { used: verification.checksUsed, max: verification.checksMax },
    created_at: verification.createdAt.toISOString(),
    expires_at: verification.expiresAt.toISOString(),
    closed_at: closedAt?.toISOString() ?? null,
    metadata,
    approval: approval && approvalBody(approval),
    ...(showsCode ? { code: deps.codeOf(verification) } : {}),
    jobs: jobs.map(jobBody),
  };
}

function jobBody({ reason, block, attempts, ...job }: TimelineJob) {
  return {
    ...job,
    ...reasonBody(reason, { ...endFacts(reason, job.finished_at), ...block }),
    factors: block?.factors ?? null,
    attempts: attempts.map((attempt) => ({ ...attempt, ...reasonBody(attempt.reason) })),
  };
}

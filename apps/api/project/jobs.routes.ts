import { z } from 'zod';
import { attemptOutcomes, jobStates } from '../../../domain/job/job.ts';
import { JobId } from '../../../domain/shared/ids.ts';
import type { AttemptView, JobFilter, JobReader, JobView } from '../../../domain/job/port.ts';
import { type JobKind, jobKinds } from '../../../domain/jobs.ts';
import { endFacts } from '../../../domain/reasons.ts';
import { phoneFault } from '../../../domain/shared/phone.ts';
import { RecipientId } from '../../../domain/identity/recipient/recipient.ts';
import { Time } from '../../../domain/shared/time.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { Chosen, phoneIn, reasonBody, reasonShape, TimeField } from '../../http/fields.ts';
import { defineRoute, type Route } from '../../http/route.ts';

const JobKindName = z.enum(jobKinds as [JobKind, ...JobKind[]]);

const JobBody = z
  .object({
    id: z.uuid(),
    kind: JobKindName,
    state: z.enum(jobStates),
    ...reasonShape,
    subject_id: z.uuid().meta({ description: 'What it serves: the id of the verification.' }),
    channels: z.array(z.string()).meta({ example: ['push', 'sms'] }),
    to: z.string().meta({ description: 'The masked recipient.', example: '+998•••••••67' }),
    attempt_count: z.int(),
    run_at: Time.meta({
      description:
        'It sleeps until then. Of a `queued` job in the future, it is its `send_at`, or the end of the person’s quiet hours, which put it off without an attempt and without a `reason`.',
    }),
    deadline_at: Time.meta({ description: 'What is not done by then expires, and nobody is called.' }),
    accepted_at: Time,
    finished_at: Time.nullable(),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'Job' });

const AttemptBody = z
  .object({
    n: z.int().min(1),
    channel: z.string().nullable(),
    provider: z.string().meta({ example: 'twilio' }),
    outcome: z.enum(attemptOutcomes).nullable().meta({ description: 'Null while it runs.' }),
    ...reasonShape,
    provider_reference: z.string().nullable().meta({ example: 'SM0123456789abcdef0123456789abcdef' }),
    cost_micros: z
      .string()
      .nullable()
      .meta({ description: 'In millionths of the currency.', example: '45000' }),
    cost_currency: z.string().nullable().meta({ example: 'USD' }),
    parts: z.int().nullable().meta({ description: 'As how many messages it was billed.' }),
    price_micros: z
      .string()
      .nullable()
      .meta({ description: "What the provider asks, in millionths of its own currency's unit." }),
    price_currency: z.string().nullable().meta({ example: 'UZS' }),
    chosen: Chosen,
    chosen_after: z.string().nullable().meta({
      description: 'Why what was tried or passed by before it did not do: a reason; null for the first.',
      example: 'text-not-moderated',
    }),
    latency_ms: z.int().nullable(),
    provider_message: z.string().nullable().meta({
      description:
        'What the provider said, in its own words, on one line; numbers, links and tokens are taken out.',
      example: 'Bad Request: can\'t parse entities: Unsupported start tag "p" at byte offset 0',
    }),
    delivery: z
      .string()
      .nullable()
      .meta({ description: 'What the provider said later.', example: 'delivered' }),
    delivery_reason: z.string().nullable(),
    delivery_at: Time.nullable(),
    opened_at: Time,
    closed_at: Time.nullable(),
  })
  .meta({ id: 'Attempt' });

const Recipient = z
  .string()
  .max(64)
  .transform((text, ctx): JobFilter['recipient'] => {
    const id = RecipientId.safeParse(text);
    if (id.success) return { id: id.data };
    const phone = phoneIn(text);
    if (phone.ok) return { phone: phone.phone.e164 };
    ctx.addIssue({ code: 'custom', message: phoneFault(phone, ', or the id of a recipient') });
    return z.NEVER;
  })
  .meta({
    description: 'A phone number in international form, or the id of a recipient.',
    example: '+998901234567',
  });

const JobsQuery = z.object({
  kind: JobKindName.optional(),
  state: z.enum(jobStates).optional(),
  from: TimeField.optional().meta({ description: 'Accepted at or after.' }),
  to: TimeField.optional().meta({ description: 'Accepted before.' }),
  recipient: Recipient.optional(),
  ...pageQuery,
});

export function jobRoutes(jobs: JobReader): Route[] {
  return [listJobs(jobs), getJob(jobs)];
}

const getJob = (jobs: JobReader) =>
  defineRoute({
    method: 'get',
    path: '/jobs/{id}',
    tag: 'Jobs',
    summary: 'A job with its attempts',
    scope: 'jobs',
    testKeys: 'apart',
    params: z.object({ id: JobId }),
    answers: { 200: { description: 'The job.', schema: JobBody.extend({ attempts: z.array(AttemptBody) }) } },
    problems: [404],
    async handle({ params, caller }) {
      const found = await jobs.find(caller, params.id);
      if (!found) throw new Problem(404, 'not-found', 'This project has no such job.');
      return { status: 200, body: { ...jobBody(found.job), attempts: found.attempts.map(attemptBody) } };
    },
  });

const listJobs = (jobs: JobReader) =>
  defineRoute({
    method: 'get',
    path: '/jobs',
    tag: 'Jobs',
    summary: "The project's jobs, newest first",
    scope: 'jobs',
    testKeys: 'apart',
    query: JobsQuery,
    answers: { 200: { description: 'A page of jobs.', schema: pageSchema(JobBody) } },
    async handle({ query, caller }) {
      const { limit, cursor, ...filter } = query;
      const page = await jobs.list(caller, filter, pageOrder({ limit, cursor }));
      return { status: 200, body: pageBody(page, jobBody) };
    },
  });

function jobBody(job: JobView) {
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    ...reasonBody(job.reason, endFacts(job.reason, job.finishedAt)),
    subject_id: job.subjectId,
    channels: (job.labels['channels'] ?? '').split(',').filter((channel) => channel !== ''),
    to: job.labels['to'] ?? '',
    attempt_count: job.attemptCount,
    run_at: job.runAt,
    deadline_at: job.deadlineAt,
    accepted_at: job.acceptedAt,
    finished_at: job.finishedAt,
    request_id: job.requestId,
  };
}

function attemptBody(attempt: AttemptView) {
  return {
    n: attempt.n,
    channel: attempt.channel,
    provider: attempt.provider,
    outcome: attempt.outcome,
    ...reasonBody(attempt.reason),
    provider_reference: attempt.providerReference,
    cost_micros: attempt.costMicros,
    cost_currency: attempt.costCurrency,
    parts: attempt.parts,
    price_micros: attempt.priceMicros,
    price_currency: attempt.priceCurrency,
    chosen: attempt.chosen,
    chosen_after: attempt.chosenAfter,
    latency_ms: attempt.latencyMs,
    provider_message: attempt.providerMessage,
    delivery: attempt.delivery,
    delivery_reason: attempt.deliveryReason,
    delivery_at: attempt.deliveryAt,
    opened_at: attempt.openedAt,
    closed_at: attempt.closedAt,
  };
}

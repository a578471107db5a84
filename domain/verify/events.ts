import { z } from 'zod';
import { finalStates } from '../job/job.ts';
import { keyModes } from '../project/key.ts';
import { count, EndReason, type EventDefinition, MaskedRecipient } from '../shared/event.ts';
import { Time } from '../shared/time.ts';
import { Channel } from './channel.ts';
import { VerificationState } from './verification.ts';

const shape = {
  id: z.uuid().meta({ description: 'The verification: `GET /otp/{id}`.' }),
  state: VerificationState,
  purpose: z.string(),
  mode: z.enum(keyModes),
  channels: z.array(Channel),
  to: MaskedRecipient,
  metadata: z.record(z.string(), z.string()).nullable().meta({ description: 'As its send gave it.' }),
  created_at: Time,
  closed_at: Time.nullable(),
};

const closedAs = (state: Exclude<VerificationState, 'live'>) =>
  z.object({ ...shape, state: z.literal(state), closed_at: Time });

/** Its state may be another by then: a code can arrive after its verification was closed. */
const codeEnded = z.object({
  ...shape,
  job_id: z.uuid(),
  job_state: z.enum(finalStates).meta({ description: 'How the job of the send ended.' }),
  reason: EndReason,
});

export const verifyEvents = {
  'verification.approved': {
    meaning: 'The right code came, or the person approved on their device.',
    data: closedAs('approved'),
  },
  'verification.denied': {
    meaning: 'The person said no on their device.',
    data: closedAs('denied'),
  },
  'verification.expired': {
    meaning: 'Its time was over before a right code came.',
    data: closedAs('expired'),
  },
  'verification.cancelled': {
    meaning: 'You cancelled it, or a newer one took its place.',
    data: closedAs('cancelled'),
  },
  'verification.max_checks_reached': {
    meaning: 'It used up its checks.',
    data: closedAs('max-checks-reached'),
  },
  'verification.delivered': {
    meaning: 'A code was sent, as far as its provider says.',
    data: codeEnded,
  },
  'verification.failed': {
    meaning: 'A code could not be sent; `reason` says why.',
    data: codeEnded,
  },
  'budget.half_spent': {
    meaning:
      'Half of your budget for paid messages of a day (UTC) is spent; once a day. day, budget_micros, spent_micros and, of it, publishable_spent_micros for requests with publishable keys.',
    data: z.object({
      day: z.iso.date().meta({ description: 'The UTC day.' }),
      budget_micros: count('`sms_daily_budget_micros` as it was then, in 10^-6 USD.'),
      spent_micros: count('Of it, what is spent.'),
      publishable_spent_micros: count('Of that, for requests with publishable keys.'),
    }),
  },
} as const satisfies Record<string, EventDefinition>;

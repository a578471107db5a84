import type { Reason } from '../shared/reason.ts';
import type { BusyReason, UnknownReason } from './reply.ts';

/** Ends and pauses that the engine itself gives a job. */
const engine = {
  deadline: {
    meaning: 'The deadline of the job passed before it could be done.',
    retry: 'no',
    nextStep:
      'Ask for it again. If many jobs end so, look at /ops: a queue is paused, or has too few workers.',
    seen: ['job'],
  },
  unconfirmed: {
    meaning: 'The message was handed to the provider, and nothing confirmed that it arrived.',
    retry: 'no',
    nextStep: 'Nothing, if the code was typed in. Else the person asks for a new code, by another channel.',
    seen: ['job'],
  },
  unknown: {
    meaning: 'The last attempt ended without an answer, so it is not known whether it succeeded.',
    retry: 'no',
    nextStep: 'Ask the recipient whether it arrived before you send it again.',
    seen: ['job'],
  },
  rejected: {
    meaning: 'The provider refused the message and named no reason.',
    retry: 'no',
    nextStep: "Look at the job's attempts for what the provider answered.",
    seen: ['job'],
  },
  'attempts-used-up': {
    meaning: 'The job used all attempts that its kind allows.',
    retry: 'later',
    nextStep: "Look at the job's attempts for the cause, then ask for it again.",
    seen: ['job'],
  },
  'provider-busy': {
    meaning: 'The provider asked us to slow down.',
    retry: 'later',
    nextStep: 'Nothing: the job waits as long as the provider asks. If it ended so, ask for it again later.',
    seen: ['job', 'attempt'],
  },
  'own-pace': {
    meaning: 'The message waits for its turn: Navbat keeps to the pace that the provider grants.',
    retry: 'later',
    nextStep: 'Nothing: it goes out at its turn. If it expired so, give it more time or a higher priority.',
    seen: ['job', 'attempt'],
  },
  'payload-unreadable': {
    meaning: 'The stored job does not have a form that this version understands.',
    retry: 'no',
    nextStep: 'Ask for it again. If it was made by another version of Navbat, update all processes.',
    seen: ['job'],
  },
  'no-such-job': {
    meaning: 'A queue entry names a job that Postgres does not have; nothing was done.',
    retry: 'no',
    nextStep: 'Nothing: the job was deleted after its retention, or Redis is older than Postgres.',
    seen: ['job'],
  },
  'worker-lost': {
    meaning: 'The worker that made this attempt stopped before it recorded the result.',
    retry: 'later',
    nextStep: 'Nothing: another worker goes on with the job. The message may have left already.',
    seen: ['attempt'],
  },
  'cancelled-by-staff': {
    meaning: 'A member of staff cancelled the job.',
    retry: 'no',
    nextStep: 'Ask for it again if it is still wanted. /ops/audit says who cancelled it.',
    seen: ['job'],
  },
} as const satisfies Record<string, Reason> & Record<BusyReason, Reason>;

/** What any provider may refuse for good; the others are those of the context that speaks to it. */
const refusals = {
  'message-invalid': {
    meaning: 'The provider does not accept the message in this form.',
    retry: 'after-change',
    nextStep: 'Correct the content, such as its markup, its length or its links, and send it again.',
    seen: ['job', 'attempt'],
  },
  credentials: {
    meaning: "The provider does not accept this installation's credentials, sender or account.",
    retry: 'after-change',
    nextStep:
      'Staff check the credentials of the provider in the environment, then retry from /ops/failures.',
    seen: ['job', 'attempt'],
  },
  'balance-empty': {
    meaning: "The installation's balance at the provider is used up.",
    retry: 'after-change',
    nextStep: "Staff top up the provider's account, then retry from /ops/failures.",
    seen: ['job', 'attempt'],
  },
  'provider-refused': {
    meaning: 'The provider refused the message for a reason that Navbat does not know.',
    retry: 'no',
    nextStep: "Look at the provider's own log by the reference of the attempt.",
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<string, Reason>;

const RETRIES_GO_ON = 'Nothing yet: the job is tried again by itself.';

/** What may succeed later, at any provider. */
const faults = {
  network: {
    meaning: 'No connection could be made.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} If it goes on, check address, firewall and DNS.`,
    seen: ['job', 'attempt'],
  },
  'provider-unavailable': {
    meaning: 'The provider is down, or failed so often that Navbat calls it rarely until it recovers.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} Staff look at the provider's status page.`,
    seen: ['job', 'attempt'],
  },
  'provider-internal': {
    meaning: 'The provider answered with an error of its own.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} Staff look at the provider's status page.`,
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<string, Reason>;

/** What may have happened or not. */
const unknowns = {
  timeout: {
    meaning: 'No answer came in time. The message may have arrived.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} A receiver of webhooks answers first and works later.`,
    seen: ['job', 'attempt'],
  },
  'connection-lost': {
    meaning: 'The connection broke before the answer came. The message may have arrived.',
    retry: 'later',
    nextStep: RETRIES_GO_ON,
    seen: ['job', 'attempt'],
  },
  'answer-unreadable': {
    meaning: 'The answer could not be read. The message may have arrived.',
    retry: 'later',
    nextStep: RETRIES_GO_ON,
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<UnknownReason, Reason>;

export const jobReasons = { ...engine, ...refusals, ...faults, ...unknowns } as const;

/** What any provider may answer. */
export type ProviderReason = keyof typeof refusals | keyof typeof faults;
/** A reason that the engine itself gives: `satisfies EngineReason` behind each that it writes. */
export type EngineReason = keyof typeof jobReasons;

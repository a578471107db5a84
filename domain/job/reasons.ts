import type { Reason } from '../shared/reason.ts';
import type { BusyReason, UnknownReason } from './reply.ts';

/** Ends and pauses that the engine itself gives a job, and what it refuses where one has ended. */
const engine = {
  'already-finished': {
    meaning: 'It is already finished and cannot be changed.',
    retry: 'no',
    nextStep: 'Nothing. Send a new message if one is wanted.',
    seen: ['problem'],
  },
  deadline: {
    meaning: 'The deadline of the job passed before it could be done.',
    retry: 'no',
    nextStep:
      'Send the request again. If many jobs end this way, look at /ops: a queue is paused or has too few workers.',
    seen: ['job'],
  },
  unconfirmed: {
    meaning: 'The message was handed to the provider, and nothing confirmed that it arrived.',
    retry: 'no',
    nextStep:
      'Nothing, if the code was entered. Otherwise the person asks for a new code, by another channel.',
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
    nextStep: "Look at the job's attempts for the cause, then send the request again.",
    seen: ['job'],
  },
  'provider-busy': {
    meaning: 'The provider asked Navbat to send more slowly (rate limit).',
    retry: 'later',
    nextStep:
      'Nothing: the job waits as long as the provider asks. If the job ended, send the request again later.',
    seen: ['job', 'attempt'],
  },
  'own-pace': {
    meaning: 'The message waits for its turn: Navbat stays within the rate limit of the provider.',
    retry: 'later',
    nextStep:
      'Nothing: it is sent when its turn comes. If it expired first, give it more time or a higher priority.',
    seen: ['job', 'attempt'],
  },
  'payload-unreadable': {
    meaning: 'This version of Navbat cannot read the format of the stored job.',
    retry: 'no',
    nextStep: 'Send the request again. If another version of Navbat made the job, update all processes.',
    seen: ['job'],
  },
  'no-such-job': {
    meaning: 'The queue entry is of a job that does not exist in Postgres; nothing was done.',
    retry: 'no',
    nextStep:
      'Nothing: the job was deleted after its retention time, or Redis or Postgres was restored from a backup.',
    seen: ['job'],
  },
  'worker-lost': {
    meaning: 'The worker that made this attempt stopped before it recorded the result.',
    retry: 'later',
    nextStep: 'Nothing: another worker continues the job. The message may already have been sent.',
    seen: ['attempt'],
  },
  'cancelled-by-staff': {
    meaning: 'A member of staff cancelled the job.',
    retry: 'no',
    nextStep: 'Send the request again if you still need it. /ops/audit shows who cancelled the job.',
    seen: ['job'],
  },
} as const satisfies Record<string, Reason> & Record<BusyReason, Reason>;

/** What one attempt met, the job may have got over: by another provider, or by another channel. */
const RETRY_IF_FAILED = 'If the job failed for it, they then retry it from /ops/failures.';

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
    nextStep: `Staff check the credentials of the provider in the environment. ${RETRY_IF_FAILED}`,
    seen: ['job', 'attempt'],
  },
  'balance-empty': {
    meaning: "The installation's balance at the provider is used up.",
    retry: 'after-change',
    nextStep: `Staff top up the provider's account. ${RETRY_IF_FAILED}`,
    seen: ['job', 'attempt'],
  },
  'provider-refused': {
    meaning: 'The provider refused the message for a reason that Navbat does not know.',
    retry: 'no',
    nextStep: "Search the provider's log for the reference of the attempt.",
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<string, Reason>;

/** True of a job that is retried, of one that went on to another provider, and of one that has ended. */
const RETRIES_GO_ON =
  'Nothing while the job is unfinished: it is retried, or goes on to the next provider or channel, automatically.';

/** What may succeed later, at any provider. */
const faults = {
  network: {
    meaning: 'Navbat could not connect.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} If the error repeats, check address, firewall and DNS.`,
    seen: ['job', 'attempt'],
  },
  'provider-unavailable': {
    meaning: 'The provider is down, or failed so often that Navbat calls it rarely until it recovers.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} Staff look at the provider's status page.`,
    seen: ['job', 'attempt'],
  },
  'provider-internal': {
    meaning: 'The provider answered with an internal error.',
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
    nextStep: `${RETRIES_GO_ON} If your own webhook receiver timed out, let it answer first and process the event afterwards.`,
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

/** Nobody can be reached there. */
export const addressReasons = {
  'no-channel': {
    meaning:
      'None of the requested channels can reach this recipient, or none has a provider for it on this installation.',
    retry: 'after-change',
    nextStep:
      'Name another channel, or store an address first (PUT /recipients). An SMS also needs a provider with an account and a price for the number: look at the setting sms_routes. Staff set up providers, and prices (SMS_ROUTES), in the environment.',
    seen: ['problem', 'job'],
  },
  'unknown-recipient': {
    meaning: 'The project has no such recipient.',
    retry: 'after-change',
    nextStep: 'Store the recipient first (PUT /recipients), or send to a phone number.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

export const jobReasons = { ...engine, ...refusals, ...faults, ...unknowns, ...addressReasons } as const;

/** What any provider may answer. */
export type ProviderReason = keyof typeof refusals | keyof typeof faults;
/** A reason that the engine itself gives: `satisfies EngineReason` behind each that it writes. */
export type EngineReason = keyof typeof jobReasons;

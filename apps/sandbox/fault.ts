import { z } from 'zod';
import { Channel, SmsProvider } from './message.ts';

/** 2 min: longer than any client here waits. */
const HANG_MS_MAX = 120_000;
/** More than any client here reads of an answer. */
const ANSWER_CHARS_MAX = 131_072;

/** Twilio's: the handset is unreachable. */
export const UNDELIVERED_CODE = 30_003;

const target = {
  /** Without it the fault strikes every channel. */
  channel: Channel.optional(),
  /** One provider of SMS; without it all of them. */
  provider: SmsProvider.optional(),
  /** Phone number, chat id or push token; `*` is everybody. */
  to: z.string().min(1).max(4096).default('*'),
  /** One method of the provider's API (`getupdates`); without it, every call that sends. */
  method: z.string().toLowerCase().optional(),
  /** The first so many calls; without it, until deleted. */
  times: z.int().min(1).max(1_000_000).optional(),
  /** Waited before anything else happens. */
  delay_ms: z.int().min(0).max(HANG_MS_MAX).default(0),
};
/** 1 h: later than any code lives. */
const REPORT_MS_MAX = 3_600_000;
const REPORT_TIMES_MAX = 10;
/** How the reports of a message come. */
const reports = {
  /** So much later than they would. */
  after_ms: z.int().min(0).max(REPORT_MS_MAX).default(0),
  /** Each so often; 0 is never. */
  report_times: z.int().min(0).max(REPORT_TIMES_MAX).default(1),
  /** The last one first. */
  reversed: z.boolean().default(false),
  /** Without what proves that they are the provider's. */
  forged: z.boolean().default(false),
};
const hang = { hang_ms: z.int().min(0).max(HANG_MS_MAX).default(HANG_MS_MAX) };

const Code = z.union([z.string(), z.int()], {
  error:
    "expected one of the provider's codes, a number or a word: see Faults to order in apps/sandbox/README.md",
});

/** One order: whom it strikes, how often, and what happens then. */
export const AnyFault = z.discriminatedUnion('effect', [
  /** Answers as ever, `delay_ms` later. */
  z.strictObject({ ...target, effect: z.literal('slow') }),
  /** A final refusal, in the provider's own code. */
  z.strictObject({ ...target, effect: z.literal('reject'), code: Code }),
  /** 429 and how long to wait. */
  z.strictObject({
    ...target,
    effect: z.literal('rate-limit'),
    retry_after_seconds: z.int().min(1).max(3600).default(1),
  }),
  z.strictObject({
    ...target,
    effect: z.literal('server-error'),
    status: z.int().min(500).max(599).default(500),
  }),
  /**
   * An answer that is none of the provider's, such as a front end's page: this status, these headers, this body. `taken`: the
   * message was sent all the same.
   */
  z.strictObject({
    ...target,
    effect: z.literal('answer'),
    status: z.int().min(200).max(599),
    headers: z.record(z.string().regex(/^[A-Za-z-]{1,64}$/), z.string().max(1_024)).default({}),
    body: z.string().max(ANSWER_CHARS_MAX).default(''),
    taken: z.boolean().default(false),
  }),
  /** Times out, and nothing was sent. `hang_ms: 0` cuts the connection at once. */
  z.strictObject({ ...target, ...hang, effect: z.literal('hang-before') }),
  /** Times out although the message was sent. */
  z.strictObject({ ...target, ...hang, effect: z.literal('hang-after') }),
  /** Accepted, and nothing is ever heard of it again. */
  z.strictObject({ ...target, effect: z.literal('never-delivered') }),
  /** Accepted, then reported as undelivered: Twilio with an error code, an aggregator with its word, the Gateway as expired. */
  z.strictObject({
    ...target,
    effect: z.literal('undelivered'),
    code: Code.default(UNDELIVERED_CODE),
  }),
  /** Of an aggregator of SMS: delivered, and its reports come late, repeated, in the wrong order or forged. */
  z.strictObject({ ...target, ...reports, effect: z.literal('reports') }),
  /** This share of the messages is accepted and lost, and `says` is what the provider reports of them. */
  z.strictObject({
    ...target,
    effect: z.literal('lossy'),
    share: z.number().min(0).max(1),
    says: z.enum(['nothing', 'delivered']).default('nothing'),
    /** The same seed loses the same ones. */
    seed: z.int().default(1),
  }),
]);
export type Fault = z.infer<typeof AnyFault>;
export type ReportOrder = Pick<Extract<Fault, { effect: 'reports' }>, keyof typeof reports>;

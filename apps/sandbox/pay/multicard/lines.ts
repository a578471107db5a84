import { z } from 'zod';
import { FaultOrder } from './faults.ts';
import { Settings } from './settings.ts';

/** Milliseconds since 1970. `at` of a line is this machine's own clock, those of payments and bindings the sandbox's, which may be moved. */
const Ms = z.int();
/** Tiyin. */
const Amount = z.int();
const money = { amount: Amount, commission: Amount, total: Amount };
/** The request that caused it; null: its time had come, or somebody ordered it. */
const by = z.int().nullable();

export const PaymentStatus = z.enum(['draft', 'progress', 'billing', 'success', 'error', 'revert']);
export type PaymentStatus = z.infer<typeof PaymentStatus>;

/** A line of the log: everything that this rail is can be built from them again. An auditor reads `begin`, `end`, `paid` and `moved`. */
export const LogLine = z.discriminatedUnion('t', [
  z.object({ t: z.literal('start'), at: Ms, pid: z.int() }),
  /** A request had come in whole at `at`. */
  z.object({
    t: z.literal('begin'),
    id: z.int(),
    at: Ms,
    method: z.string(),
    path: z.string(),
    reference: z.string().optional(),
  }),
  /** It was answered, or, where `status` is null, left without an answer. */
  z.object({
    t: z.literal('end'),
    id: z.int(),
    at: Ms,
    status: z.int().nullable(),
    fault: z.int().optional(),
  }),
  z.object({
    t: z.literal('draft'),
    uuid: z.string(),
    reference: z.string(),
    /** Its token: of a card that there is not outside of this sandbox. */
    card: z.string(),
    ...money,
    confirmable: z.boolean(),
    addedAt: Ms,
    by,
  }),
  /** Money left the wallet for a card. At most one of a uuid. */
  z.object({
    t: z.literal('paid'),
    at: Ms,
    uuid: z.string(),
    reference: z.string(),
    card: z.string(),
    ...money,
    paidAt: Ms,
    by,
  }),
  /** Any other change of a payment. `revert`: the money came back, `total` of it. */
  z.object({
    t: z.literal('moved'),
    at: Ms,
    uuid: z.string(),
    status: z.enum(['progress', 'billing', 'error', 'revert']),
    by,
  }),
  /** What will become of a payment by itself. */
  z.object({ t: z.literal('due'), uuid: z.string(), to: z.enum(['success', 'error', 'revert']), dueAt: Ms }),
  z.object({ t: z.literal('wallet'), at: Ms, balance: Amount }),
  z.object({ t: z.literal('settings'), settings: Settings }),
  z.object({ t: z.literal('faults'), orders: z.array(FaultOrder) }),
  z.object({ t: z.literal('tokens-expired'), at: Ms }),
  z.object({
    t: z.literal('bind'),
    session: z.string(),
    phone: z.string().nullable(),
    callbackUrl: z.string().nullable(),
    redirectUrl: z.string(),
    declineUrl: z.string(),
    beganAt: Ms,
  }),
  z.object({
    t: z.literal('card'),
    session: z.string(),
    token: z.string(),
    pan: z.string(),
    system: z.enum(['uzcard', 'humo']),
    phone: z.string(),
    pinfl: z.string(),
    holderName: z.string(),
    addedAt: Ms,
  }),
  z.object({ t: z.literal('declined'), session: z.string() }),
  z.object({
    t: z.literal('person'),
    phone: z.string(),
    holderName: z.string(),
    pinfl: z.string().nullable(),
  }),
  /** A call to the customer's server, and what it said; null: nothing. */
  z.object({
    t: z.literal('webhook'),
    at: Ms,
    uuid: z.string(),
    status: z.string(),
    answer: z.int().nullable(),
  }),
]);
export type LogLine = z.infer<typeof LogLine>;
export type LineOf<T extends LogLine['t']> = Extract<LogLine, { t: T }>;

import { z } from 'zod';
import { ESKIZ_ERRORS, ESKIZ_FAILURES } from './eskiz-errors.ts';
import { AnyFault, type Fault, UNDELIVERED_CODE } from './fault.ts';
import { FCM_ERRORS } from './fcm-errors.ts';
import { GATEWAY_ERRORS } from './gateway-errors.ts';
import { Channel, CHANNELS, type SmsProvider } from './message.ts';
import { PLAY_MOBILE_ERRORS, PLAY_MOBILE_FAILURES } from './play-mobile-errors.ts';
import { TELEGRAM_REFUSALS } from './telegram-errors.ts';
import { TWILIO_ERRORS, TWILIO_DELIVERY_ERRORS } from './twilio-errors.ts';
import { wellKnownFault } from './well-known.ts';

/** 10 000 orders at a time: a test that wants more wants a provider-wide fault. */
const FAULTS_MAX = 10_000;
/** The codes that `reject` takes, by channel. */
const REJECT_CODES = {
  sms: Object.keys(TWILIO_ERRORS),
  telegram: Object.keys(TELEGRAM_REFUSALS),
  'telegram-gateway': GATEWAY_ERRORS,
  push: Object.keys(FCM_ERRORS),
} satisfies Record<Channel, readonly string[]>;
/** Of a provider of SMS, where it is not Twilio. */
const REJECT_CODES_OF: Partial<Record<SmsProvider, readonly string[]>> = {
  eskiz: Object.keys(ESKIZ_ERRORS),
  'play-mobile': Object.keys(PLAY_MOBILE_ERRORS),
};
/** The codes that `undelivered` takes. */
const FAILURES: readonly string[] = [
  ...Object.keys(TWILIO_DELIVERY_ERRORS),
  ...ESKIZ_FAILURES,
  ...PLAY_MOBILE_FAILURES,
];
const FAILURES_OF: Partial<Record<SmsProvider, readonly string[]>> = {
  twilio: Object.keys(TWILIO_DELIVERY_ERRORS),
  eskiz: ESKIZ_FAILURES,
  'play-mobile': PLAY_MOBILE_FAILURES,
};

/** A fault as somebody may order it: its code must be one that its provider knows. */
export const FaultOrder = AnyFault.superRefine((fault, context) => {
  const problem = problemOf(fault);
  if (problem) context.addIssue({ code: 'custom', path: ['code'], message: problem });
});

function problemOf(fault: Fault): string | undefined {
  if (fault.provider !== undefined && fault.channel !== 'sms') return 'provider needs the channel sms';
  if (fault.effect === 'reject') {
    const { channel, provider, code } = fault;
    if (channel === undefined) return `reject needs a channel: one of ${CHANNELS.join(', ')}`;
    const known: readonly string[] = (provider && REJECT_CODES_OF[provider]) ?? REJECT_CODES[channel];
    return known.includes(String(code))
      ? undefined
      : `a code of ${provider ?? channel} is one of ${known.join(', ')}`;
  }
  // The default is Twilio's; another provider then says its own plainest word.
  if (fault.effect !== 'undelivered' || fault.code === UNDELIVERED_CODE) return undefined;
  const known = (fault.provider && FAILURES_OF[fault.provider]) ?? FAILURES;
  return known.includes(String(fault.code))
    ? undefined
    : `a code of undelivered is one of ${known.join(', ')}`;
}

/** The body of `PUT /faults`: one order or several. */
export const FaultOrders = z.preprocess(
  (body) => (Array.isArray(body) ? body : [body]),
  z.array(FaultOrder).max(FAULTS_MAX),
);
/** What TypeScript callers write: the fields with a default may be left out. */
export type FaultRequest = z.input<typeof AnyFault>;

/** A call that a fault may strike. */
export interface FaultTarget {
  channel: Channel;
  /** Of an SMS. */
  provider?: SmsProvider;
  to: string;
  method: string;
  /** False for calls that only ask or configure: those are struck by a fault that names their method. */
  sends: boolean;
}

/** Which orders are meant; without a field, whatever it is. */
export interface FaultScope {
  readonly channel?: Channel | undefined;
  readonly provider?: SmsProvider | undefined;
  readonly to?: string | undefined;
}

interface LiveFault {
  fault: Fault;
  remaining: number;
  hits: number;
}
/** A fault as `GET /faults` shows it. */
export type FaultView = Fault & { remaining: number | null; hits: number };

/**
 * The orders in force. The narrowest that matches a call strikes it: target before everybody, one provider before its channel, one channel
 * before all.
 */
export class Faults {
  readonly #live = new Map<string, LiveFault[]>();
  readonly #changed: () => void;

  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  /**
   * Puts orders in force. They replace what stood for the same channel, provider and target; several for one target in one call are used
   * up one after the other: `[{ effect: 'server-error', times: 2 }, { effect: 'rate-limit', times: 1 }]`.
   */
  order(orders: readonly Fault[]): void {
    const groups = Map.groupBy(orders, keyOf);
    for (const [key, group] of groups) {
      this.#live.set(
        key,
        group.map((fault) => ({ fault, remaining: fault.times ?? Infinity, hits: 0 })),
      );
    }
    this.#changed();
  }

  /** The fault that strikes this call, one of its `times` used up; undefined when all is well. */
  take(call: FaultTarget): Fault | undefined {
    if (this.#live.size > 0) {
      const { channel, provider } = call;
      const keys = [call.to, '*'].flatMap((to) => [
        keyOf({ channel, provider, to }),
        keyOf({ channel, to }),
        keyOf({ to }),
      ]);
      for (const key of keys) {
        const live = this.#live.get(key)?.find((each) => each.remaining > 0 && strikes(each.fault, call));
        if (live) return this.#strike(live);
      }
    }
    return call.sends ? wellKnownFault(call.channel, call.to, call.provider) : undefined;
  }

  list(): FaultView[] {
    return [...this.#live.values()].flat().map(({ fault, remaining, hits }) => ({
      ...fault,
      remaining: Number.isFinite(remaining) ? remaining : null,
      hits,
    }));
  }

  /** The orders that still strike, each with what is left of it: what a restart puts in force again. */
  restorable(): Fault[] {
    return [...this.#live.values()]
      .flat()
      .filter(({ remaining }) => remaining > 0)
      .map(({ fault, remaining }) => (Number.isFinite(remaining) ? { ...fault, times: remaining } : fault));
  }

  /** Ends all orders, or those of one channel, provider or target. */
  clear(only: FaultScope = {}): void {
    for (const [key, group] of this.#live) {
      const fault = group[0]?.fault;
      const matches =
        (only.channel === undefined || fault?.channel === only.channel) &&
        (only.provider === undefined || fault?.provider === only.provider) &&
        (only.to === undefined || fault?.to === only.to);
      if (matches) this.#live.delete(key);
    }
    this.#changed();
  }

  #strike(live: LiveFault): Fault {
    live.remaining -= 1;
    live.hits += 1;
    this.#changed();
    return live.fault;
  }
}

function keyOf({ channel, provider, to }: Pick<Fault, 'channel' | 'provider' | 'to'>): string {
  return `${channel ?? '*'} ${provider ?? '*'} ${to}`;
}

function strikes(fault: Fault, call: FaultTarget): boolean {
  return fault.method === undefined ? call.sends : fault.method === call.method.toLowerCase();
}

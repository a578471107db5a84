import { BrokenCircuitError, circuitBreaker, CircuitState, CountBreaker, handleAll } from 'cockatiel';
import type { Entered, Entry, Guarded, NotEntered, Provider } from '../../domain/job/guard.ts';
import type { SendReply } from '../../domain/job/reply.ts';
import type { EngineReason } from '../../domain/job/reasons.ts';
import { busy } from './replies.ts';

/** The last 20 calls decide, once there are 10: a handful of slow numbers is no outage. */
const CALLS_SAMPLED = 20;
const CALLS_MIN = 10;
/** More than half: below it, sending still reaches more people than moving on would. */
const FAULT_SHARE_MAX = 0.5;
/** 5 s, 10 s, 20 s, 40 s, 60 s: a restart is over in seconds, and after a long outage nobody waits longer than a minute to be served again. */
const OPEN_FIRST_MS = 5_000;
const OPEN_MS_MAX = 60_000;
/** The last quarter of it is drawn at random, so that many workers don't knock at once. */
const OPEN_JITTER = 0.25;
/** 1 s: a probe takes about that long, and then everybody knows. */
const PROBE_MS = 1_000;
/** 200 ms: a place is taken for about as long as one message takes. */
const FULL_RETRY_MS = 200;
/** 10 s: an attempt is opened within milliseconds; who holds a place longer without sending has lost it somewhere. */
const UNUSED_MS_MAX = 10_000;

export interface GuardOptions {
  /** How many may be in flight at this provider: a quarter of the places of its queue. */
  readonly inFlightMax: number;
  readonly clock: () => Date;
  /** Who may wait for places that are about to be given back, asked at each entry; default `SEATS_A_PLACE` for each place. */
  readonly seats?: () => number;
  /** How long; default `WAIT_MS_MAX`. */
  readonly waitMsMax?: number;
  /**
   * Who may enter beyond that and open their attempts, in one statement, while the calls before them are made; asked at each
   * entry, default none. Only for a provider that is quick: one of them who finds no place in time is told `busy`.
   */
  readonly ahead?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/**
 * A concurrency limit, so that a hung provider holds at most its own places, and a breaker, so that a failing one is left alone for a
 * bounded time. Both are this process's own: each worker learns for itself.
 */
export function guard<Message, Name extends string>(
  channel: Provider<Message, Name>,
  options: GuardOptions,
): Guarded<Message, Name> {
  const { inFlightMax, clock, waitMsMax = WAIT_MS_MAX, ahead } = options;
  if (!Number.isInteger(inFlightMax) || inFlightMax < 1)
    throw new RangeError('inFlightMax: expected at least 1');
  const breaker = breakerOn(options);
  const places = new Set<Place>();
  const room = waitingRoom(options.seats ?? (() => inFlightMax * SEATS_A_PLACE), waitMsMax);
  const lines = callLines(inFlightMax, waitMsMax);

  const enter = (): Entry<Message> => {
    const nowMs = clock().getTime();
    freeUnused(places, nowMs);
    const closedTo = breaker.refusal(nowMs, places);
    if (closedTo) return closedTo;
    const aheadMax = breaker.isClosed() && !lines.hang() ? (ahead?.() ?? 0) : 0;
    if (places.size >= inFlightMax + aheadMax)
      return { entered: false, because: 'full', retryAfterMs: FULL_RETRY_MS };
    const place: Place = { sinceMs: nowMs, isProbe: !breaker.isClosed(), use: 'none' };
    places.add(place);
    return entered(place, { channel, breaker, places, lines, freed: () => room.wake() });
  };
  const enterSoon = async (): Promise<Entry<Message>> => {
    for (;;) {
      const entry = enter();
      // Who is woken and finds the place gone, or fewer may enter ahead than before, waits for the next one that is given back.
      if (entry.entered || entry.because === 'open' || !(await room.wait())) return entry;
    }
  };
  const { channel: name, provider, referenceOf } = channel;
  return { channel: name, provider, referenceOf, enter, enterSoon };
}

/** 50 ms: a wake-up that is put to sleep comes back after four times that, and costs a write in Postgres and two in Redis. */
const WAIT_MS_MAX = 50;
/** With a quarter of the places of a queue, a quarter of it stays free whatever waits here. */
const SEATS_A_PLACE = 2;

interface WaitingRoom {
  wait(): Promise<boolean>;
  /** @returns whether somebody was there. */
  wake(): boolean;
  hangs(): boolean;
}

/**
 * Where calls wait for a place that is about to be given back. After one has waited in vain nobody waits until a place is
 * given back: the provider hangs, and three quarters of the places are free for the others.
 */
function waitingRoom(seats: () => number, waitMsMax: number): WaitingRoom {
  const waiting: ((isFree: boolean) => void)[] = [];
  let hangs = false;
  return {
    wait: () => {
      if (hangs || waiting.length >= seats()) return Promise.resolve(false);
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          hangs = true;
          for (const leave of waiting.splice(0)) leave(false);
        }, waitMsMax);
        waiting.push((isFree) => {
          clearTimeout(timer);
          resolve(isFree);
        });
      });
    },
    wake: () => {
      hangs = false;
      const next = waiting.shift();
      next?.(true);
      return next !== undefined;
    },
    hangs: () => hangs,
  };
}

/** Calls under way at once, whoever has entered ahead of them. */
interface CallLines {
  /** Whether a line came free in time. */
  take(): Promise<boolean>;
  giveBack(): void;
  /** The last who waited did so in vain. */
  hang(): boolean;
}

function callLines(max: number, waitMsMax: number): CallLines {
  let taken = 0;
  const room = waitingRoom(() => Number.POSITIVE_INFINITY, waitMsMax);
  return {
    take: async () => {
      if (taken >= max) return room.wait();
      taken++;
      return true;
    },
    // Whoever waits takes it over.
    giveBack: () => {
      if (!room.wake()) taken--;
    },
    hang: () => room.hangs(),
  };
}

interface Place {
  readonly sinceMs: number;
  /** The one call that an open breaker lets through when its time is over. */
  readonly isProbe: boolean;
  use: 'none' | 'sending' | 'over';
}

function freeUnused(places: Set<Place>, nowMs: number): void {
  for (const place of places)
    if (place.use === 'none' && nowMs - place.sinceMs > UNUSED_MS_MAX) places.delete(place);
}

interface Surroundings<Message> {
  readonly channel: Provider<Message>;
  readonly breaker: Breaker;
  readonly places: Set<Place>;
  readonly lines: CallLines;
  /** A place was given back. */
  readonly freed: () => unknown;
}

function entered<Message>(
  place: Place,
  { channel, breaker, places, lines, freed }: Surroundings<Message>,
): Entered<Message> {
  const giveBack = () => {
    place.use = 'over';
    if (places.delete(place)) freed();
  };
  return {
    entered: true,
    async send(message: Message, signal: AbortSignal): Promise<SendReply> {
      if (place.use !== 'none') throw new Error(`${channel.provider}: one place sends once`);
      const isHeld = places.has(place);
      place.use = isHeld ? 'sending' : 'over';
      if (!isHeld) return busy(FULL_RETRY_MS, 'own-pace');
      try {
        if (!(await lines.take())) return busy(FULL_RETRY_MS, 'own-pace');
        try {
          if (!place.isProbe && !breaker.isClosed()) return busy(OPEN_FIRST_MS);
          return await breaker.run(() => channel.send(message, signal));
        } finally {
          lines.giveBack();
        }
      } finally {
        giveBack();
      }
    },
    leave() {
      if (place.use === 'none') giveBack();
    },
  };
}

interface Breaker {
  isClosed(): boolean;
  /** Why nobody may enter now, or null. */
  refusal(nowMs: number, places: ReadonlySet<Place>): NotEntered | null;
  run(call: () => Promise<SendReply>): Promise<SendReply>;
}

/** The library counts calls and knows the states; how long it stays open is kept here, on the given clock. */
function breakerOn({ clock, random = Math.random }: GuardOptions): Breaker {
  const policy = circuitBreaker(
    handleAll.orWhenResult((reply) => isFault(reply as SendReply)),
    {
      breaker: new CountBreaker({
        threshold: FAULT_SHARE_MAX,
        size: CALLS_SAMPLED,
        minimumNumberOfCalls: CALLS_MIN,
      }),
      halfOpenAfter: 0,
    },
  );
  let timesOpened = 0;
  let openUntilMs = 0;
  policy.onBreak(() => {
    openUntilMs = clock().getTime() + openMs(timesOpened, random());
    timesOpened += 1;
  });
  policy.onReset(() => {
    timesOpened = 0;
  });
  const isClosed = () => policy.state === CircuitState.Closed;

  return {
    isClosed,
    refusal(nowMs, places) {
      if (isClosed()) return null;
      if (nowMs < openUntilMs) return { entered: false, because: 'open', retryAfterMs: openUntilMs - nowMs };
      const isProbed = [...places].some((place) => place.isProbe);
      return isProbed ? { entered: false, because: 'open', retryAfterMs: PROBE_MS } : null;
    },
    run: (call) =>
      policy.execute(call).catch((error: unknown) => {
        // Only where the machine's clock was set back since it opened.
        if (error instanceof BrokenCircuitError) return busy(PROBE_MS);
        throw error;
      }),
  };
}

/** How long to stay open, the `timesOpened`-th time in a row, from 0. `random` is in [0, 1). */
export function openMs(timesOpened: number, random: number): number {
  const wholeMs = Math.min(OPEN_FIRST_MS * 2 ** timesOpened, OPEN_MS_MAX);
  return Math.round(wholeMs * (1 - OPEN_JITTER * random));
}

/** Our account is refused, so every message will be. All other refusals are about one address: there the provider works. */
const faultyRefusals: ReadonlySet<string> = new Set<EngineReason>(['credentials', 'balance-empty']);

function isFault(reply: SendReply): boolean {
  switch (reply.kind) {
    case 'faulted':
    case 'unknown':
      return true;
    case 'refused':
      return faultyRefusals.has(reply.reason);
    case 'accepted':
    case 'busy':
      return false;
  }
}

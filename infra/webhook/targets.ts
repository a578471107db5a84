import { LRUCache } from 'lru-cache';
import type { Entered, Entry, Guarded, NotEntered, Provider } from '../../domain/job/guard.ts';
import type { WebhookWork } from '../../domain/webhook/delivery.ts';
import { guard } from '../providers/provider-guard.ts';

/** In flight at one endpoint: a server that hangs for 15 s holds a hundredth of the places. */
const IN_FLIGHT_PER_TARGET_MAX = 4;
/** In flight for one project, or opened ahead, whatever it has endpoints and callback URLs. */
const IN_FLIGHT_PER_PROJECT_MAX = 16;
/**
 * All that one project has in hand (`infra/postgres/job/scheduler.ts`) may wait here for a quick endpoint: who waits is spared a way
 * through two stores. At a slow one as many may wait as it serves in half of the time, since they hold places in the queue.
 */
const SEATS_MAX = 52;
const PLACE_WAIT_MS_MAX = 1_000;
/**
 * So many more have their attempts opened, many in one statement, while the calls before them are made: at an endpoint whose last
 * answers took less than 50 ms, so that nobody holds an open attempt for longer than two or three of them.
 */
const AHEAD_MAX = 8;
const QUICK_MS_MAX = 50;
/** A project that holds so many opens none ahead: its last places are left to its other endpoints. */
const AHEAD_PER_PROJECT_MAX = 12;
/** Places that this process remembers; the least used ones are forgotten, and with them that they had failed. */
const TARGETS_MAX = 5_000;
/** What a call is taken to last before one has been made: a server in the same country that does little. */
const LATENCY_GUESS_MS = 20;
/** A new call weighs so much in the average. */
const LATENCY_WEIGHT = 0.2;
/** 60 s: an endpoint that came back is noticed by then. */
const WAIT_MS_MAX = 60_000;
/**
 * Nobody waits for more than so many calls of this endpoint's, but a quarter of a second at least. What was promised while it was
 * slow, or not known, would else leave a quick one idle: a backlog of 2 000 took more than 30 s in place of 2.
 */
const WAIT_CALLS_MAX = 50;
const WAIT_MS_MIN = 250;

interface Target {
  readonly guarded: Guarded<WebhookWork>;
  latencyMs: number;
  /** It has answered. */
  isKnown: boolean;
  /** Up to then, its places are promised to those who were sent away. */
  promisedUntilMs: number;
}

/**
 * Each endpoint has a concurrency limit and a breaker of its own, and each project a bound over all of its endpoints, so that a dead
 * one slows nobody. Whoever finds no place is told to come when one should be free, each after the other: a backlog of
 * thousands does not knock every 200 ms.
 */
export function webhookTargets(
  provider: Provider<WebhookWork>,
  clock: () => Date,
): (work: WebhookWork) => Guarded<WebhookWork> {
  const targets = new LRUCache<string, Target>({ max: TARGETS_MAX });
  const inFlight = new Map<string, number>();

  const targetOf = (work: WebhookWork): Target => {
    const key = work.endpointId ?? `${work.projectId} ${new URL(work.url).host}`;
    const known = targets.get(key);
    if (known) return known;
    const isCrowded = () => (inFlight.get(work.projectId) ?? 0) >= AHEAD_PER_PROJECT_MAX;
    const made = newTarget(provider, clock, isCrowded);
    targets.set(key, made);
    return made;
  };

  return (work) => {
    const target = targetOf(work);
    const take = (entry: Entry<WebhookWork>): Entry<WebhookWork> =>
      entry.entered
        ? counted(entry, inFlight, work.projectId)
        : { ...entry, retryAfterMs: Math.max(entry.retryAfterMs, promise(target, clock)) };
    const full = (): NotEntered | null =>
      (inFlight.get(work.projectId) ?? 0) < IN_FLIGHT_PER_PROJECT_MAX
        ? null
        : { entered: false, because: 'full', retryAfterMs: promise(target, clock) };
    return {
      channel: provider.channel,
      provider: provider.provider,
      enter: () => full() ?? take(target.guarded.enter()),
      enterSoon: async () => full() ?? take(await target.guarded.enterSoon()),
    };
  };
}

function newTarget(provider: Provider<WebhookWork>, clock: () => Date, isCrowded: () => boolean): Target {
  const timed: Provider<WebhookWork> = {
    ...provider,
    async send(work, signal) {
      const startedMs = performance.now();
      try {
        return await provider.send(work, signal);
      } finally {
        target.isKnown = true;
        target.latencyMs += LATENCY_WEIGHT * (performance.now() - startedMs - target.latencyMs);
      }
    },
  };
  const target: Target = {
    guarded: guard(timed, {
      inFlightMax: IN_FLIGHT_PER_TARGET_MAX,
      seats: () => Math.min(SEATS_MAX, (IN_FLIGHT_PER_TARGET_MAX * PLACE_WAIT_MS_MAX) / 2 / target.latencyMs),
      waitMsMax: PLACE_WAIT_MS_MAX,
      ahead: () => (target.isKnown && target.latencyMs < QUICK_MS_MAX && !isCrowded() ? AHEAD_MAX : 0),
      clock,
    }),
    latencyMs: LATENCY_GUESS_MS,
    isKnown: false,
    promisedUntilMs: 0,
  };
  return target;
}

/**
 * How long until a place should be free for one more: they come free one by one, at the pace of its answers. Who would wait for
 * longer than is promised to anybody comes at some moment until then, since all of them at one moment would find four places.
 */
function promise(target: Target, clock: () => Date): number {
  const nowMs = clock().getTime();
  const paceMs = target.latencyMs / IN_FLIGHT_PER_TARGET_MAX;
  const waitMsMax = Math.min(WAIT_MS_MAX, Math.max(WAIT_MS_MIN, WAIT_CALLS_MAX * target.latencyMs));
  const waitMs = Math.max(target.promisedUntilMs - nowMs, 0) + paceMs;
  target.promisedUntilMs = nowMs + Math.min(waitMs, waitMsMax);
  return Math.ceil(waitMs < waitMsMax ? waitMs : waitMsMax * Math.random());
}

/** Holds one of the project's places from now until the end of the call, or until the place is given back unused. */
function counted(
  entry: Entered<WebhookWork>,
  inFlight: Map<string, number>,
  projectId: string,
): Entered<WebhookWork> {
  inFlight.set(projectId, (inFlight.get(projectId) ?? 0) + 1);
  let held = true;
  const giveBack = () => {
    if (!held) return;
    held = false;
    const left = (inFlight.get(projectId) ?? 1) - 1;
    if (left > 0) inFlight.set(projectId, left);
    else inFlight.delete(projectId);
  };
  let sending = false;
  return {
    entered: true,
    async send(work, signal) {
      sending = true;
      try {
        return await entry.send(work, signal);
      } finally {
        giveBack();
      }
    },
    leave() {
      entry.leave();
      if (!sending) giveBack();
    },
  };
}

import { type LivePart, liveParts, type LiveStates } from '../../../../domain/earn/live/port.ts';
import type { LiveBodies } from './bodies.ts';
import { type Vector, vectorId, vectorOf, versionOf } from './vector.ts';

/** Of one process: each is a socket and a row of each look, and all of them are read in some ten milliseconds. */
export const SUBSCRIBERS_MAX = 2_000;
/** A phone, a tablet and a page, and one of them that has come back before its old connection was missed. One more ends the oldest. */
export const SUBSCRIBERS_PER_PERSON_MAX = 4;
/** How old what somebody sees may be. */
export const LOOK_EVERY_MS = 1_000;
/** So long a connection outlives its session: one look-up by primary key for all of them. */
export const SESSIONS_EVERY_LOOKS = 3;
/** Longer than Postgres lets a statement run: what has not come by then waits for a connection that is dead. */
export const LOOK_MS_MAX = 15_000;

/** One part of a person's state, whole. The id says what a client that has heard it knows of all parts. */
export interface LiveEvent {
  readonly id: string;
  readonly event: LivePart;
  /** JSON. */
  readonly data: string;
}

/** `restart`: the process stops, and another one goes on; `replaced`: a newer connection of the person took its place. */
export type FollowEnd = 'token-ended' | 'session-ended' | 'restart' | 'replaced';

export interface Listener {
  readonly tell: (event: LiveEvent) => void;
  /** Nothing is told any more. */
  readonly end: (why: FollowEnd) => void;
}

interface Followed {
  readonly personId: string;
  readonly sessionId: string;
  readonly tokenEndsAt: Date;
}

export interface Subscribers {
  /**
   * Tells what the client does not know yet, and then each change. Nothing is told before this has returned.
   *
   * @param lastId the id of the last event that the client has heard, or null.
   * @returns what ends it; or why nobody else can follow now.
   */
  readonly follow: (who: Followed, lastId: string | null, listener: Listener) => (() => void) | 'full';
  /** Ends all of them: their clients come back to another process. */
  readonly close: () => void;
}

interface SubscribersDeps {
  readonly states: Pick<LiveStates, 'texts'>;
  readonly bodies: LiveBodies;
  /** Which of these sessions of people still stand. */
  readonly standing: (sessionIds: readonly string[], now: Date) => Promise<ReadonlySet<string>>;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

interface Subscriber extends Followed, Listener {
  known: Vector;
}

/**
 * All who follow in this process, with one look at the database for all of them. A look that fails tells nobody anything: what changed meanwhile
 * is seen by the next one, because states are told and not changes.
 */
export function subscribers(deps: SubscribersDeps): Subscribers {
  const crowd = openCrowd();
  const look = oneAtATime(lookFor(deps, crowd), deps.onError);
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const tick = () => {
    const now = deps.now();
    for (const one of crowd.all) if (one.tokenEndsAt <= now) crowd.end(one, 'token-ended');
    if (crowd.all.size === 0) return stop();
    look();
  };
  return {
    follow: (who, lastId, listener) => {
      if (isClosed || !crowd.hasRoomFor(who.personId)) return 'full';
      const { personId, sessionId, tokenEndsAt } = who;
      const subscriber = { personId, sessionId, tokenEndsAt, ...listener, known: vectorOf(lastId) };
      crowd.join(subscriber);
      if (timer === undefined) {
        timer = setInterval(tick, LOOK_EVERY_MS);
        tick();
      }
      return () => crowd.leave(subscriber);
    },
    close: () => {
      isClosed = true;
      stop();
      for (const one of crowd.all) crowd.end(one, 'restart');
    },
  };
}

type Look = (late: AbortSignal) => Promise<void>;

/** Begins a look, unless one is under way. */
function oneAtATime(look: Look, onError: (error: unknown) => void): () => void {
  let isLooking = false;
  return () => {
    if (isLooking) return;
    isLooking = true;
    void inTime(look)
      .catch(onError)
      .finally(() => {
        isLooking = false;
      });
  };
}

/** What comes later is told nobody: the next look may have told something newer. */
async function inTime(look: Look): Promise<void> {
  const late = new AbortController();
  const passed = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.abort();
    passed.reject(new Error(`a look had no answer within ${LOOK_MS_MAX} ms`));
  }, LOOK_MS_MAX);
  await Promise.race([look(late.signal), passed.promise]).finally(() => clearTimeout(timer));
}

type Crowd = ReturnType<typeof openCrowd>;

function openCrowd() {
  const all = new Set<Subscriber>();
  const counts = new Map<string, number>();
  const leave = (one: Subscriber): void => {
    if (!all.delete(one)) return;
    const left = (counts.get(one.personId) ?? 1) - 1;
    if (left === 0) counts.delete(one.personId);
    else counts.set(one.personId, left);
  };
  const end = (one: Subscriber, why: FollowEnd): void => {
    leave(one);
    one.end(why);
  };
  return {
    all: all as ReadonlySet<Subscriber>,
    /** Makes it, where the person has as many as one may. */
    hasRoomFor: (personId: string): boolean => {
      if ((counts.get(personId) ?? 0) >= SUBSCRIBERS_PER_PERSON_MAX) {
        // In the order in which they came.
        const oldest = [...all].find((one) => one.personId === personId);
        if (oldest) end(oldest, 'replaced');
      }
      return all.size < SUBSCRIBERS_MAX;
    },
    join: (one: Subscriber): void => {
      all.add(one);
      counts.set(one.personId, (counts.get(one.personId) ?? 0) + 1);
    },
    leave,
    end,
  };
}

/** One part of one person, as it was read last: what it says is made once for all who follow them, and only where it has changed. */
interface Told {
  readonly text: string;
  readonly version: string;
  readonly data: string;
}
type ToldOf = ReadonlyMap<string, Readonly<Record<LivePart, Told>>>;

function lookFor({ states, bodies, standing, now }: SubscribersDeps, crowd: Crowd): Look {
  let looks = 0;
  let told: ToldOf = new Map();
  const toldNow = (part: LivePart, text: string, before: Told | undefined): Told =>
    before?.text === text
      ? before
      : { text, version: versionOf(text), data: JSON.stringify(bodies[part](text)) };
  return async (late) => {
    // Who comes while this reads is told by the next look: what this one reads may be older than what they have heard elsewhere.
    const asked = [...crowd.all];
    if (looks++ % SESSIONS_EVERY_LOOKS === 0) {
      const open = await standing([...new Set(asked.map(({ sessionId }) => sessionId))], now());
      for (const one of asked)
        if (crowd.all.has(one) && !open.has(one.sessionId)) crowd.end(one, 'session-ended');
    }
    const texts = await states.texts([...new Set(asked.map(({ personId }) => personId))]);
    if (late.aborted) return;
    told = new Map(
      [...texts].map(([personId, of]) => {
        const before = told.get(personId);
        const parts = liveParts.map((part) => [part, toldNow(part, of[part], before?.[part])]);
        return [personId, Object.fromEntries(parts) as Record<LivePart, Told>];
      }),
    );
    for (const one of asked) if (crowd.all.has(one)) tell(one, told.get(one.personId));
  };
}

/** Each event's id counts what was told with it and before it: a connection that breaks in between loses the rest alone. */
function tell(subscriber: Subscriber, parts: Readonly<Record<LivePart, Told>> | undefined): void {
  if (!parts) return;
  for (const part of liveParts) {
    const { version, data } = parts[part];
    if (subscriber.known[part] === version) continue;
    subscriber.known = { ...subscriber.known, [part]: version };
    subscriber.tell({ id: vectorId(subscriber.known), event: part, data });
  }
}

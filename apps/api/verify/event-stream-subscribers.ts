import type { Caller } from '../../../domain/project/caller.ts';
import { type LiveState, type LiveStates, stateName } from '../../../domain/verify/live-state.ts';

/** Each is a socket, and a row in each look: so many are looked at in some ten milliseconds. */
export const SUBSCRIBERS_MAX = 2_000;
/** One key: so many people who wait before their screens at once; the rest are asked to come back in a moment. */
export const SUBSCRIBERS_PER_KEY_MAX = 500;
/** All keys of a project together: a third of the room, so that no project alone fills it with the keys that it may have. */
export const SUBSCRIBERS_PER_PROJECT_MAX = 650;
/** What a person feels as "at once", and four cheap reads a second for the whole process. */
const LOOK_EVERY_MS = 250;
/** After a look that failed: Postgres restarts within seconds. */
const LOOK_AGAIN_MS = 1_000;
/** Proxies close what is silent for a minute; a client that is gone is noticed as soon. */
const HEARTBEAT_MS = 15_000;
/** When a client that lost its connection comes back. */
const RETRY_MS = 2_000;
/** Longer than the longest verification lives: nothing is followed past it. */
const FOLLOW_MS_MAX = 900_000;

export interface SubscribersDeps {
  readonly states: Pick<LiveStates, 'read'>;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

export interface Subscribers {
  /**
   * Follows one verification from the state that was just read, until it is closed.
   *
   * @param known the state that the client has seen already, or null.
   * @returns what to send, to be iterated at once; or why nobody else can be followed now.
   */
  readonly follow: (
    who: Pick<Caller, 'keyId' | 'projectId'>,
    state: LiveState,
    known: string | null,
  ) => Following | NoRoom;
  /** Ends all of them: their clients come back to another process. */
  readonly close: () => void;
}

export type NoRoom = 'key-full' | 'project-full' | 'full';
export type Following = (signal: AbortSignal) => AsyncIterable<string>;

interface Subscriber {
  /** The key and the project, each with room for so many. */
  readonly who: Pick<Caller, 'keyId' | 'projectId'>;
  readonly id: string;
  readonly untilMs: number;
  state: string;
  heardMs: number;
  over: boolean;
  readonly pending: string[];
  wake: () => void;
}

/** All that this process follows, with one look at the database for all of them together. */
export function subscribers({ states, now, onError }: SubscribersDeps): Subscribers {
  const crowd = openCrowd();
  const looking = repeat(async () => {
    const ids = [...new Set([...crowd.all].map(({ id }) => id))];
    const found = new Map((await states.read(ids, now())).map((state) => [state.id, state]));
    const nowMs = now().getTime();
    for (const subscriber of crowd.all) tell(subscriber, found.get(subscriber.id), nowMs);
    return crowd.all.size > 0;
  }, onError);
  let closed = false;
  return {
    follow: (who, state, known) => {
      const noRoom = closed ? 'full' : crowd.noRoomFor(who);
      if (noRoom) return noRoom;
      const subscriber = begin(who, state, known, now().getTime());
      crowd.join(subscriber);
      looking.start();
      return (signal) => told(subscriber, signal, crowd.leave);
    },
    close: () => {
      closed = true;
      looking.stop();
      for (const subscriber of crowd.all) end(subscriber);
    },
  };
}

function openCrowd() {
  const all = new Set<Subscriber>();
  /** By the id of a key or of a project, none of which is another's. */
  const counts = new Map<string, number>();
  const count = ({ who: { keyId, projectId } }: Subscriber, by: 1 | -1) => {
    for (const id of [keyId, projectId]) {
      const there = (counts.get(id) ?? 0) + by;
      if (there === 0) counts.delete(id);
      else counts.set(id, there);
    }
  };
  return {
    all: all as ReadonlySet<Subscriber>,
    noRoomFor: ({ keyId, projectId }: Subscriber['who']): NoRoom | null => {
      if (all.size >= SUBSCRIBERS_MAX) return 'full';
      if ((counts.get(projectId) ?? 0) >= SUBSCRIBERS_PER_PROJECT_MAX) return 'project-full';
      return (counts.get(keyId) ?? 0) >= SUBSCRIBERS_PER_KEY_MAX ? 'key-full' : null;
    },
    join: (subscriber: Subscriber) => {
      all.add(subscriber);
      count(subscriber, 1);
    },
    leave: (subscriber: Subscriber) => {
      if (all.delete(subscriber)) count(subscriber, -1);
    },
  };
}

/** Looks again and again, one look after the other, for as long as a look says that another is wanted. */
function repeat(look: () => Promise<boolean>, onError: (error: unknown) => void) {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const schedule = (ms: number) => {
    if (!stopped) timer ??= setTimeout(() => void run(), ms);
  };
  const run = async () => {
    const nextMs = await look().then(
      (wanted) => (wanted ? LOOK_EVERY_MS : null),
      (error: unknown) => {
        onError(error);
        return LOOK_AGAIN_MS;
      },
    );
    timer = undefined;
    if (nextMs !== null) schedule(nextMs);
  };
  return {
    start: () => schedule(LOOK_EVERY_MS),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function begin(who: Subscriber['who'], state: LiveState, known: string | null, nowMs: number): Subscriber {
  const name = stateName(state);
  const subscriber: Subscriber = {
    who,
    id: state.id,
    untilMs: nowMs + FOLLOW_MS_MAX,
    state: name,
    heardMs: nowMs,
    over: state.status !== 'live',
    pending: [`retry: ${RETRY_MS}\n\n`],
    wake: () => undefined,
  };
  if (name !== known) subscriber.pending.push(eventOf(state));
  return subscriber;
}

/** Says what changed, or that we are still there. A verification that retention took away is over. */
function tell(subscriber: Subscriber, state: LiveState | undefined, nowMs: number): void {
  const isNews = state !== undefined && stateName(state) !== subscriber.state;
  if (state && isNews) {
    subscriber.state = stateName(state);
    subscriber.pending.push(eventOf(state));
  } else if (nowMs - subscriber.heardMs >= HEARTBEAT_MS) subscriber.pending.push(': still here\n\n');
  if (subscriber.pending.length > 0) subscriber.heardMs = nowMs;
  if (!state || state.status !== 'live' || nowMs >= subscriber.untilMs) end(subscriber);
  subscriber.wake();
}

function end(subscriber: Subscriber): void {
  subscriber.over = true;
  subscriber.wake();
}

/** WHATWG HTML §9.2.5; the id is the state's own name, which a client sends back as Last-Event-ID. */
function eventOf(state: LiveState): string {
  const { id, status, approval } = state;
  const data = JSON.stringify({
    id,
    status,
    approval: approval && {
      state: approval.state,
      answered_at: approval.answeredAt?.toISOString() ?? null,
    },
  });
  return `id: ${stateName(state)}\nevent: state\ndata: ${data}\n\n`;
}

async function* told(
  subscriber: Subscriber,
  signal: AbortSignal,
  leave: (subscriber: Subscriber) => void,
): AsyncGenerator<string> {
  const onAbort = () => subscriber.wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const text = subscriber.pending.splice(0).join('');
      if (text !== '') yield text;
      else if (subscriber.over) return;
      else
        await new Promise<void>((resolve) => {
          subscriber.wake = resolve;
          if (subscriber.over || signal.aborted) resolve();
        });
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    leave(subscriber);
  }
}

import type { Caller } from '../../../domain/project/caller.ts';
import { type LiveState, type LiveStates, stateName } from '../../../domain/verify/live-state.ts';

/** Each is a socket, and a row in each look: so many are looked at in some ten milliseconds. */
export const FOLLOWERS_MAX = 2_000;
/** One key: so many people who wait before their screens at once; the rest are asked to come back in a moment. */
export const FOLLOWERS_PER_KEY_MAX = 500;
/** All keys of a project together: a third of the room, so that no project alone fills it with the keys that it may have. */
export const FOLLOWERS_PER_PROJECT_MAX = 650;
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

export interface FollowersDeps {
  readonly states: Pick<LiveStates, 'read'>;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

export interface Followers {
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

interface Follower {
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
export function followers({ states, now, onError }: FollowersDeps): Followers {
  const crowd = openCrowd();
  const looking = repeat(async () => {
    const ids = [...new Set([...crowd.all].map(({ id }) => id))];
    const found = new Map((await states.read(ids, now())).map((state) => [state.id, state]));
    const nowMs = now().getTime();
    for (const follower of crowd.all) tell(follower, found.get(follower.id), nowMs);
    return crowd.all.size > 0;
  }, onError);
  let closed = false;
  return {
    follow: (who, state, known) => {
      const noRoom = closed ? 'full' : crowd.noRoomFor(who);
      if (noRoom) return noRoom;
      const follower = begin(who, state, known, now().getTime());
      crowd.join(follower);
      looking.start();
      return (signal) => told(follower, signal, crowd.leave);
    },
    close: () => {
      closed = true;
      looking.stop();
      for (const follower of crowd.all) end(follower);
    },
  };
}

function openCrowd() {
  const all = new Set<Follower>();
  /** By the id of a key or of a project, none of which is another's. */
  const counts = new Map<string, number>();
  const count = ({ who: { keyId, projectId } }: Follower, by: 1 | -1) => {
    for (const id of [keyId, projectId]) {
      const there = (counts.get(id) ?? 0) + by;
      if (there === 0) counts.delete(id);
      else counts.set(id, there);
    }
  };
  return {
    all: all as ReadonlySet<Follower>,
    noRoomFor: ({ keyId, projectId }: Follower['who']): NoRoom | null => {
      if (all.size >= FOLLOWERS_MAX) return 'full';
      if ((counts.get(projectId) ?? 0) >= FOLLOWERS_PER_PROJECT_MAX) return 'project-full';
      return (counts.get(keyId) ?? 0) >= FOLLOWERS_PER_KEY_MAX ? 'key-full' : null;
    },
    join: (follower: Follower) => {
      all.add(follower);
      count(follower, 1);
    },
    leave: (follower: Follower) => {
      if (all.delete(follower)) count(follower, -1);
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

function begin(who: Follower['who'], state: LiveState, known: string | null, nowMs: number): Follower {
  const name = stateName(state);
  const follower: Follower = {
    who,
    id: state.id,
    untilMs: nowMs + FOLLOW_MS_MAX,
    state: name,
    heardMs: nowMs,
    over: state.status !== 'live',
    pending: [`retry: ${RETRY_MS}\n\n`],
    wake: () => undefined,
  };
  if (name !== known) follower.pending.push(eventOf(state));
  return follower;
}

/** Says what changed, or that we are still there. A verification that retention took away is over. */
function tell(follower: Follower, state: LiveState | undefined, nowMs: number): void {
  const isNews = state !== undefined && stateName(state) !== follower.state;
  if (state && isNews) {
    follower.state = stateName(state);
    follower.pending.push(eventOf(state));
  } else if (nowMs - follower.heardMs >= HEARTBEAT_MS) follower.pending.push(': still here\n\n');
  if (follower.pending.length > 0) follower.heardMs = nowMs;
  if (!state || state.status !== 'live' || nowMs >= follower.untilMs) end(follower);
  follower.wake();
}

function end(follower: Follower): void {
  follower.over = true;
  follower.wake();
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
  follower: Follower,
  signal: AbortSignal,
  leave: (follower: Follower) => void,
): AsyncGenerator<string> {
  const onAbort = () => follower.wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const text = follower.pending.splice(0).join('');
      if (text !== '') yield text;
      else if (follower.over) return;
      else
        await new Promise<void>((resolve) => {
          follower.wake = resolve;
          if (follower.over || signal.aborted) resolve();
        });
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    leave(follower);
  }
}

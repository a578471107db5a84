import { z } from 'zod';
import { Problem } from '../../../http/problem.ts';
import { definePersonRoute, definePersonSocket, type Route } from '../../../http/route.ts';
import {
  type FollowEnd,
  type Subscribers,
  SUBSCRIBERS_PER_PERSON_MAX,
  type LiveEvent,
} from './subscribers.ts';

const tag = 'Live updates';

export interface LiveDeps {
  readonly subscribers: Subscribers;
  /** From 0 to 1: when those who are sent away come back. */
  readonly random: () => number;
}

/** Proxies close what is silent for a minute. */
const HEARTBEAT_MS = 25_000;
/** When a client that lost its connection comes back. */
const RETRY_MS = 2_000;
/** Those of a process that stops come back one after the other, and not all in one second. */
const SPREAD_MS = 10_000;
/** Told a client that found no room. */
const COME_BACK_SECONDS = 15;

export const liveRoutes = (deps: LiveDeps): Route[] => [events(deps), socket(deps)];

const parts =
  'Each event is one part of what the person has, whole: `balance` (`available`, `held`, `receivable`, `currency`), `session` (`sessions`: those that go on, with the `bytes` that are metered, the `amount` that they earn and what of it waits for a `review`), `price` (that of today, as `GET /api/daily_price`) and `withdrawal` (`withdrawals`: the five newest, as `GET /api/withdraw`). First what you do not have yet, then each change within two seconds. ' +
  'The `id` names the states of all parts that you have heard by then: send back the last one, and what has not changed since is not sent again, by whichever process you reach. ' +
  `A person follows on ${SUBSCRIBERS_PER_PERSON_MAX} connections at most, of both sorts together: one more ends the oldest. A connection ends with its access token, and within seconds of its session’s end: refresh the token and come back. Members and events may be added; ignore those that you do not know.`;

const example: LiveEvent = {
  id: 'k3vJ9sQ0aZx.-.-.-',
  event: 'balance',
  data: '{"available":"15000000","held":"0","receivable":"0","currency":"UZS"}',
};

const blockOf = ({ id, event, data }: LiveEvent) => `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
const messageOf = ({ id, event, data }: LiveEvent) => `{"id":"${id}","event":"${event}","data":${data}}`;

const events = ({ subscribers, random }: LiveDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/events',
    tag,
    summary: 'Follow one’s own money',
    description: `Server-sent events. ${parts} \`Last-Event-ID\` is the id of the last event that you have; where nothing has changed, nothing comes but a comment every 25 seconds. An \`EventSource\` can send no token: read the stream with \`fetch\`.`,
    session: 'earner',
    follows: true,
    answers: {
      200: {
        description: 'The stream.',
        schema: z.string().meta({ example: blockOf(example) }),
        mediaType: 'text/event-stream',
      },
    },
    async handle({ person, lastEventId }) {
      const stream = openStream(random);
      const leave = subscribers.follow(person, lastEventId, stream);
      if (typeof leave === 'string') throw noRoom();
      return { status: 200, body: undefined, events: (signal) => stream.texts(signal, leave) };
    },
  });

const socket = ({ subscribers, random }: LiveDeps) =>
  definePersonSocket({
    path: '/ws',
    tag,
    summary: 'The same by WebSocket',
    description: `A WebSocket (RFC 6455). ${parts} Each event is a text message: \`${messageOf(example)}\`.`,
    session: 'earner',
    open({ person, lastId }, { send, refuse, goAway }) {
      const leave = subscribers.follow(person, lastId, {
        tell: (event) => send(messageOf(event)),
        end: (why) => {
          if (why !== 'restart') return refuse(ended(why));
          send(JSON.stringify({ event: 'retry', data: { after_ms: comeBackMs(random) } }));
          goAway();
        },
      });
      if (typeof leave === 'string') throw noRoom();
      return leave;
    },
  });

const comeBackMs = (random: () => number) => RETRY_MS + Math.floor(random() * SPREAD_MS);

const ended = (why: Exclude<FollowEnd, 'restart'>) => {
  if (why === 'replaced')
    return new Problem(
      429,
      'too-many-connections',
      `The person follows on ${SUBSCRIBERS_PER_PERSON_MAX} newer connections.`,
    );
  return new Problem(
    401,
    'unauthenticated',
    why === 'token-ended'
      ? 'The access token has expired: refresh it, and come back.'
      : 'The session was ended: sign in again.',
  );
};

const noRoom = () =>
  new Problem(429, 'too-many-connections', 'This process takes no more connections.', {
    headers: { 'Retry-After': String(COME_BACK_SECONDS) },
  });

/** Who was replaced would otherwise end another one of theirs every two seconds. */
function retryOf(why: FollowEnd, random: () => number): string {
  if (why === 'restart') return `retry: ${comeBackMs(random)}\n\n`;
  return why === 'replaced' ? `retry: ${COME_BACK_SECONDS * 1_000}\n\n` : '';
}

/** A listener whose events are read as a stream. */
function openStream(random: () => number) {
  const waiting = [`retry: ${RETRY_MS}\n\n`];
  let isOver = false;
  let wake = (): void => undefined;
  const push = (text: string): void => {
    waiting.push(text);
    wake();
  };
  return {
    tell: (event: LiveEvent) => push(blockOf(event)),
    end: (why: FollowEnd) => {
      isOver = true;
      push(retryOf(why, random));
    },
    async *texts(signal: AbortSignal, leave: () => void): AsyncGenerator<string, void> {
      const beat = setInterval(() => push(': still here\n\n'), HEARTBEAT_MS);
      const onAbort = () => wake();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          const text = waiting.splice(0).join('');
          if (text !== '') yield text;
          else if (isOver) return;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
              if (waiting.length > 0 || isOver || signal.aborted) resolve();
            });
        }
      } finally {
        clearInterval(beat);
        signal.removeEventListener('abort', onAbort);
        leave();
      }
    },
  };
}

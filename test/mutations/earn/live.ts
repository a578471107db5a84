import type { Mutation } from '../mutation.ts';

const SUBSCRIBERS = 'apps/api/earn/live/subscribers.ts';
const ROUTES = 'apps/api/earn/live/live.routes.ts';
const SOCKETS = 'apps/http/sockets.ts';
const inSubscribers = (name: string) => ({ file: 'test/apps/api/earn/live/subscribers.test.ts', name });
const inSockets = (name: string) => ({ file: 'test/apps/http/sockets.test.ts', name });
const inLive = (name: string) => ({ file: 'test/apps/api/earn/live.system.test.ts', name });

/** Who follows what, and until when. */
export const liveMutations: readonly Mutation[] = [
  {
    name: 'a connection outlives its session',
    edits: [{ file: SUBSCRIBERS, from: 'if (looks++ % SESSIONS_EVERY_LOOKS === 0)', to: 'if (looks++ < 0)' }],
    test: inSubscribers('within seconds of the session’s end'),
  },
  {
    name: 'a connection outlives its token',
    edits: [
      { file: SUBSCRIBERS, from: 'if (one.tokenEndsAt <= now)', to: 'if (one.tokenEndsAt > now && !now)' },
    ],
    test: inSubscribers('with the token, while the database hangs too'),
  },
  {
    name: 'who comes back is told all of it again',
    edits: [{ file: SUBSCRIBERS, from: 'known: vectorOf(lastId)', to: 'known: vectorOf(null)' }],
    test: inSubscribers('and comes back with the last id is told nothing that they know'),
  },
  {
    name: 'an id says that all parts were heard once one was',
    edits: [
      {
        file: SUBSCRIBERS,
        from: 'known = { ...subscriber.known, [part]: version };',
        to: 'known = Object.fromEntries(liveParts.map((one) => [one, parts[one].version])) as typeof subscriber.known;',
      },
    ],
    test: inSubscribers('is told each part whole, and then what changes'),
  },
  {
    name: 'a session of any project follows money by WebSocket',
    edits: [{ file: ROUTES, from: "session: 'earner',\n    open(", to: "session: 'project',\n    open(" }],
    test: inLive('is a session of another project, of a test key'),
  },
  {
    name: 'pages of every site open a WebSocket',
    edits: [{ file: SOCKETS, from: 'if (isForeignPage(req))', to: 'if (isForeignPage(req) && !route)' }],
    test: inSockets('of a page of another site is refused'),
  },
];

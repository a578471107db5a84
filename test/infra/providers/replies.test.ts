import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { replyWithoutAnswer, unexpected } from '../../../infra/providers/replies.ts';

const alive = new AbortController().signal;
const failing = (fields: object, cause?: unknown) => Object.assign(new Error('failed', { cause }), fields);
const network = { kind: 'faulted', reason: 'network' };
const unknownAs = (reason: string) => ({ kind: 'unknown', reason });

test.each([
  {
    what: 'a refused connection',
    error: failing({ code: 'ECONNREFUSED', syscall: 'connect' }),
    reply: network,
  },
  {
    what: 'a connect that timed out',
    error: failing({ code: 'ETIMEDOUT', syscall: 'connect' }),
    reply: network,
  },
  {
    what: 'a name that is none',
    error: failing({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }),
    reply: network,
  },
  { what: 'a certificate that expired', error: failing({ code: 'CERT_HAS_EXPIRED' }), reply: network },
  {
    what: 'all addresses of a name refusing',
    error: new AggregateError([1, 2].map(() => failing({ code: 'ECONNREFUSED', syscall: 'connect' }))),
    reply: network,
  },
  {
    what: 'a refusal deep inside',
    error: failing({}, failing({}, failing({ code: 'ECONNREFUSED', syscall: 'connect' }))),
    reply: network,
  },
  {
    what: 'a reset',
    error: failing({ code: 'ECONNRESET', syscall: 'read' }),
    reply: unknownAs('connection-lost'),
  },
  {
    what: 'a broken pipe',
    error: failing({ code: 'EPIPE', syscall: 'write' }),
    reply: unknownAs('connection-lost'),
  },
  {
    what: 'a read that timed out',
    error: failing({ code: 'ETIMEDOUT', syscall: 'read' }),
    reply: unknownAs('timeout'),
  },
  { what: 'late headers', error: failing({ code: 'UND_ERR_HEADERS_TIMEOUT' }), reply: unknownAs('timeout') },
])('$what is $reply.reply $reply.reason', ({ error, reply }) => {
  expect(replyWithoutAnswer(error, alive)).toEqual(reply);
});

test('the deadline speaks before the error that it caused', () => {
  expect(
    replyWithoutAnswer(failing({ code: 'ECONNREFUSED', syscall: 'connect' }), AbortSignal.abort()),
  ).toEqual(unknownAs('timeout'));
});

test('an error that is none of the network’s is a bug, and no reply', () => {
  expect(replyWithoutAnswer(new TypeError('undefined is not a function'), alive)).toBeNull();
  expect(replyWithoutAnswer('thrown text', alive)).toBeNull();
});

test('errors that wrap one another in a circle come to an end', () => {
  const error = failing({});
  error.cause = error;
  expect(replyWithoutAnswer(error, alive)).toBeNull();
});

test('a wrapped error keeps where it happened, and nothing of what it said', () => {
  const secret = 'bot7000000001:AAsecret';
  const error = Object.assign(
    new TypeError(`no such url /${secret}\nline two ${secret}`, { cause: secret }),
    { url: secret },
  );
  const wrapped = unexpected('telegram-bot', error);
  expect(wrapped.message).toBe('telegram-bot: unexpected TypeError');
  expect(wrapped.stack).toContain('replies.test.ts');
  expect(inspect(wrapped, { depth: 9, showHidden: true })).not.toContain(secret);
});

import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import type { SendReply } from '../../domain/job/reply.ts';
import { type Answered, replyToStatus, type StatusRules } from './classify-status.ts';
import { replyWithoutAnswer, unknown } from './replies.ts';

/** firebase-admin repeats a 503 up to four times by itself, and obeys a Retry-After of up to a minute before it does. */
const REPEATED_STATUS = 503;

interface Send {
  readonly signal: AbortSignal;
  readonly settle: (reply: SendReply) => void;
  requested: boolean;
  /** What came back, whatever the SDK makes of it. */
  answered: Answered | null;
}

/** The method by which Node's http client asks an agent for a socket. Proxy agents have overridden it for a decade; Node's types leave it out. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: object): void;
}

/**
 * Makes an SDK that repeats by itself and knows no signals send once: the queue does the repeating, and a message must not
 * leave after its attempt was closed.
 *
 * What goes through `agent` within `send` is let through once. The send is settled at the first of: the SDK's own end, an
 * answer or a broken connection that the SDK would repeat, and the signal, which also cuts the connection.
 */
export function oneRequestPerSend(agent: Agent, rules: StatusRules) {
  const sends = new AsyncLocalStorage<Send>();
  const taker = agent as Agent & RequestTaker;
  const addRequest = taker.addRequest.bind(taker);
  taker.addRequest = (request, options) => {
    const send = sends.getStore();
    if (send && !letThrough(send, request, rules)) return;
    addRequest(request, options);
  };

  return function sendOnce(
    call: (answered: () => Answered | null) => Promise<SendReply>,
    signal: AbortSignal,
  ): Promise<SendReply> {
    const { promise, resolve, reject } = Promise.withResolvers<SendReply>();
    if (signal.aborted) return Promise.resolve(unknown('timeout'));
    const stop = () => resolve(unknown('timeout'));
    signal.addEventListener('abort', stop, { once: true });
    const send: Send = { signal, settle: resolve, requested: false, answered: null };
    void sends.run(send, () => call(() => send.answered).then(resolve, reject));
    return promise.finally(() => signal.removeEventListener('abort', stop));
  };
}

/** False for a repeat, which is destroyed before it gets a socket: nobody waits for its end any more. */
function letThrough(send: Send, request: ClientRequest, rules: StatusRules): boolean {
  if (send.requested || send.signal.aborted) {
    request.destroy();
    return false;
  }
  send.requested = true;
  const cut = () => request.destroy();
  send.signal.addEventListener('abort', cut, { once: true });
  request.once('close', () => send.signal.removeEventListener('abort', cut));
  request.once('error', (error) => {
    const reply = replyWithoutAnswer(error, send.signal);
    if (reply) send.settle(reply);
  });
  request.once('response', (response) => noteAnswer(send, response, rules));
  return true;
}

function noteAnswer(send: Send, response: IncomingMessage, rules: StatusRules): void {
  const answered = { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] };
  send.answered = answered;
  if (answered.status === REPEATED_STATUS) send.settle(replyToStatus(answered, rules));
  // Broken off in the middle of its body, which the SDK would repeat.
  response.once('error', () =>
    send.settle(answered.status < 300 ? unknown('connection-lost') : replyToStatus(answered, rules)),
  );
}

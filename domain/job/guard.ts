import type { JobId } from '../shared/ids.ts';
import type { SendReply } from './reply.ts';

/** One way to the world outside. Every fault is a reply; only a bug throws. */
export interface Provider<Message, Name extends string = string> {
  /** The way itself, on attempts and metrics, such as `sms`. */
  readonly channel: Name;
  /** Whose it is, on attempts and metrics, such as `twilio`. */
  readonly provider: string;
  /** Its id of the message of this attempt, where it takes one of ours: then it is known before the send. */
  readonly referenceOf?: ((jobId: JobId, attempt: number) => string) | undefined;
  /** `signal` aborts at the attempt's deadline; the answer is then `unknown` with `timeout`. */
  send(message: Message, signal: AbortSignal): Promise<SendReply>;
}

/**
 * A provider behind its concurrency limit and its breaker. The worker asks for a place *before* it opens an attempt, so that a
 * provider which is full or failing costs no attempt and the chain moves on.
 */
export interface Guarded<Message, Name extends string = string> {
  readonly channel: Name;
  /** As on the channel itself: the name on attempts and metrics. */
  readonly provider: string;
  /** As on the channel itself. */
  readonly referenceOf?: ((jobId: JobId, attempt: number) => string) | undefined;
  enter(): Entry<Message>;
  /**
   * As `enter`; where all places are taken while the provider is moving, it waits some milliseconds for one that is given
   * back. Behind a provider that hangs nobody waits: `full` is answered at once.
   */
  enterSoon(): Promise<Entry<Message>>;
}

export type Entry<Message> = Entered<Message> | NotEntered;

/** One place in flight at the provider. It is given back by the end of `send` or by `leave`, whichever comes first. */
export interface Entered<Message> {
  readonly entered: true;
  /**
   * Sends once. Answers `busy` without calling the provider when the place was lost meanwhile: it lay unused for too
   * long, or the breaker opened.
   *
   * @throws Error on a second call and after `leave`: each is a bug of the caller's.
   */
  send(message: Message, signal: AbortSignal): Promise<SendReply>;
  /** Gives an unused place back. Does nothing during and after `send`, so that it can stand in a `finally`. */
  leave(): void;
}

export interface NotEntered {
  readonly entered: false;
  /** full: as many are in flight as may be. open: the provider has failed too often and is left alone for a while. */
  readonly because: 'full' | 'open';
  /** When asking again may help. */
  readonly retryAfterMs: number;
}

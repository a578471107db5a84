import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Reply, Trace } from './http.ts';
import { Journal } from './journal.ts';
import type { Channel, SmsProvider } from './message.ts';

/** 10 000 calls stay in memory for tests to ask about; all of them are in the file. */
export const CALLS_KEPT_MAX = 10_000;
const EVICTION_CALLS = 1_000;
export const CALLS_FILE = 'calls.jsonl';

/** One call to a provider, accepted or not: a line of `calls.jsonl`. `status` is null where nothing was answered. */
export interface CallRecord extends Trace {
  at: string;
  channel: Channel;
  status: number | null;
}

/** Every call that reached a provider, newest last. */
export class CallLog {
  readonly #journal: Journal;
  readonly #clock: () => Date;
  #calls: CallRecord[] = [];

  private constructor(journal: Journal, clock: () => Date) {
    this.#journal = journal;
    this.#clock = clock;
  }

  static async open(directory: string, clock: () => Date, log: Logger): Promise<CallLog> {
    return new CallLog(await Journal.open(join(directory, CALLS_FILE), log), clock);
  }

  record(trace: Trace, reply: Reply): void {
    if (trace.channel === undefined) return;
    const { channel } = trace;
    const call: CallRecord = {
      at: this.#clock().toISOString(),
      ...trace,
      channel,
      status: 'hangMs' in reply ? null : reply.status,
    };
    this.#calls.push(call);
    if (this.#calls.length >= CALLS_KEPT_MAX + EVICTION_CALLS) this.#calls.splice(0, EVICTION_CALLS);
    this.#journal.append(call);
  }

  list(
    filter: {
      to?: string | undefined;
      channel?: Channel | undefined;
      provider?: SmsProvider | undefined;
      limit?: number | undefined;
    } = {},
  ): CallRecord[] {
    const { to, channel, provider, limit = CALLS_KEPT_MAX } = filter;
    return this.#calls
      .filter(
        (call) =>
          (to === undefined || call.to === to) &&
          (channel === undefined || call.channel === channel) &&
          (provider === undefined || call.provider === provider),
      )
      .slice(-limit);
  }

  flush(): Promise<void> {
    return this.#journal.flush();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

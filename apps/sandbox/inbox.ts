import { join } from 'node:path';
import type { Logger } from 'pino';
import { Journal, readTail } from './journal.ts';
import {
  Amendment,
  type Channel,
  Cleared,
  Message,
  type NewMessage,
  settledStatus,
  type SmsProvider,
} from './message.ts';

/** 20 000 messages, about 20 MB: a day of trying things out, or seven seconds of a load test (which reads the file instead). */
export const INBOX_MESSAGES_MAX = 20_000;
/** Evicting a thousand at a time keeps the cost of one message flat. */
const EVICTION_MESSAGES = 1_000;
/** 64 MiB of the log are read back at a start: more than the inbox holds, in about a second. */
const RELOAD_BYTES_MAX = 64 * 1024 * 1024;
/** The name of the log inside the sandbox's directory. */
export const MESSAGES_FILE = 'messages.jsonl';

export interface InboxFilter {
  to?: string | undefined;
  channel?: Channel | undefined;
  provider?: SmsProvider | undefined;
  /** Only messages received after this moment. */
  since?: Date | undefined;
  /** Only messages after the one with this id. */
  after?: number | undefined;
  /** The newest so many. */
  limit?: number | undefined;
}

/** Every message that a provider accepted, newest last: the newest in memory, all of them in `messages.jsonl`. */
export class Inbox {
  readonly #journal: Journal;
  readonly #clock: () => Date;
  readonly #listeners = new Set<(message: Message) => void>();
  #messages: Message[] = [];
  #byTo = new Map<string, Message[]>();
  #byReference = new Map<string, Message>();
  #nextNumber = 1;

  private constructor(journal: Journal, clock: () => Date) {
    this.#journal = journal;
    this.#clock = clock;
  }

  static async open(directory: string, clock: () => Date, log: Logger): Promise<Inbox> {
    const path = join(directory, MESSAGES_FILE);
    const lines = await readTail(path, RELOAD_BYTES_MAX);
    const inbox = new Inbox(await Journal.open(path, log), clock);
    for (const line of lines) inbox.#replay(line);
    for (const message of inbox.#messages) message.status = settledStatus(message);
    return inbox;
  }

  /** Numbers, dates and keeps a message; its line is on its way to the disk. */
  add(fresh: NewMessage): Message {
    const message: Message = {
      id: String(this.#nextNumber),
      received_at: this.#clock().toISOString(),
      ...fresh,
    };
    this.#keep(message);
    this.#journal.append(message);
    for (const listener of this.#listeners) listener(message);
    return message;
  }

  /** Changes a message that a person can already see (edited, deleted, revoked). */
  amend(message: Message, change: Omit<Amendment, 'amends'>): void {
    applyAmendment(message, change);
    this.#journal.append({ amends: message.id, ...change });
  }

  list(filter: InboxFilter = {}): Message[] {
    const { to, channel, provider, since, after = 0, limit = INBOX_MESSAGES_MAX } = filter;
    const among = to === undefined ? this.#messages : (this.#byTo.get(to) ?? []);
    const sinceIso = since?.toISOString();
    const wanted = among.filter(
      (message) =>
        (channel === undefined || message.channel === channel) &&
        (provider === undefined || message.provider === provider) &&
        (sinceIso === undefined || message.received_at > sinceIso) &&
        Number(message.id) > after,
    );
    return limit < wanted.length ? wanted.slice(wanted.length - limit) : wanted;
  }

  /** Finds a message by what its provider called it: Twilio's sid, the Gateway's request id. */
  byReference(channel: Channel, reference: string): Message | undefined {
    return this.#byReference.get(`${channel} ${reference}`);
  }

  clear(): void {
    this.#forgetAll();
    this.#journal.append({ cleared_at: this.#clock().toISOString() });
  }

  onMessage(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  flush(): Promise<void> {
    return this.#journal.flush();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #replay(line: unknown): void {
    const message = Message.safeParse(line);
    if (message.success) return this.#keep(message.data);
    const amendment = Amendment.safeParse(line);
    if (amendment.success) {
      const amended = this.#messages.findLast(({ id }) => id === amendment.data.amends);
      if (amended) applyAmendment(amended, amendment.data);
      return;
    }
    if (Cleared.safeParse(line).success) this.#forgetAll();
  }

  #keep(message: Message): void {
    this.#nextNumber = Math.max(this.#nextNumber, Number(message.id) || 0) + 1;
    this.#messages.push(message);
    this.#byReference.set(referenceKey(message), message);
    const conversation = this.#byTo.get(message.to);
    if (conversation) conversation.push(message);
    else this.#byTo.set(message.to, [message]);
    if (this.#messages.length >= INBOX_MESSAGES_MAX + EVICTION_MESSAGES) this.#evict();
  }

  #evict(): void {
    for (const message of this.#messages.splice(0, EVICTION_MESSAGES)) {
      this.#byReference.delete(referenceKey(message));
      const conversation = this.#byTo.get(message.to);
      conversation?.shift();
      if (conversation?.length === 0) this.#byTo.delete(message.to);
    }
  }

  #forgetAll(): void {
    this.#messages = [];
    this.#byTo = new Map();
    this.#byReference = new Map();
  }
}

/** Telegram numbers messages for each bot anew, so that the bot belongs to the key. */
export function referenceOf(channel: Channel, from: string, reference: string): string {
  return channel === 'telegram' ? `${from}/${reference}` : reference;
}

function referenceKey({ channel, from, provider_reference }: Message): string {
  return `${channel} ${referenceOf(channel, from, provider_reference)}`;
}

function applyAmendment(message: Message, change: Omit<Amendment, 'amends'>): void {
  if (change.text !== undefined) message.text = change.text;
  if (change.status !== undefined) message.status = change.status;
  if (change.details !== undefined) message.details = { ...message.details, ...change.details };
}

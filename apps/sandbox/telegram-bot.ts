import type { Fields } from './http.ts';

/** 10 000 updates wait for a bot that does not fetch them; then the oldest leave (Telegram keeps them for a day). */
const UPDATES_MAX = 10_000;
/** 1 000 pressed buttons wait for an answer; nobody presses so many. */
const QUERIES_MAX = 1_000;

export interface Update extends Fields {
  update_id: number;
}
export interface Webhook {
  url: string;
  secretToken?: string | undefined;
  allowedUpdates?: string[] | undefined;
  maxConnections: number;
  lastErrorAt?: number | undefined;
  lastErrorMessage?: string | undefined;
}
export interface Chat extends Fields {
  id: number;
  type: string;
}
/** What survives a restart of the sandbox; the bot's token is not in it. */
export interface BotSnapshot {
  id: number;
  webhook?: Webhook | undefined;
  nextUpdateId: number;
  updates: Update[];
  chats: Chat[];
  commands: unknown[];
}

interface Poll {
  offset: number;
  limit: number;
  settle(updates: Update[] | 'replaced'): void;
}

/** One bot: its updates, whoever waits for them, and the chats that it knows. */
export class TelegramBot {
  readonly id: number;
  webhook: Webhook | undefined;
  commands: unknown[];
  readonly chats = new Map<number, Chat>();
  allowedUpdates: string[] = [];
  #updates: Update[];
  #nextUpdateId: number;
  #nextMessageId: number;
  #poll: Poll | undefined;
  /** Callback queries that wait to be answered. */
  readonly #queries = new Set<string>();

  constructor(snapshot: BotSnapshot, lastMessageId: number) {
    this.id = snapshot.id;
    this.webhook = snapshot.webhook;
    this.commands = snapshot.commands;
    this.#updates = snapshot.updates;
    this.#nextUpdateId = snapshot.nextUpdateId;
    this.#nextMessageId = lastMessageId + 1;
    for (const chat of snapshot.chats) this.chats.set(chat.id, chat);
  }

  get user(): Fields {
    return {
      id: this.id,
      is_bot: true,
      first_name: 'Navbat Sandbox',
      username: `sandbox_${this.id}_bot`,
    };
  }

  get pendingCount(): number {
    return this.#updates.length;
  }

  nextMessageId(): number {
    this.#nextMessageId += 1;
    return this.#nextMessageId - 1;
  }

  /** Queues what a person did, and wakes whoever polls. Undefined when the bot asked not to hear of it. */
  push(kind: string, content: unknown): Update | undefined {
    const allowed = this.webhook?.allowedUpdates ?? this.allowedUpdates;
    if (allowed.length > 0 && !allowed.includes(kind)) return undefined;
    const update: Update = { update_id: this.#nextUpdateId, [kind]: content };
    this.#nextUpdateId += 1;
    this.#updates.push(update);
    if (this.#updates.length > UPDATES_MAX) this.#updates.shift();
    this.#answerPoll();
    return update;
  }

  first(): Update | undefined {
    return this.#updates[0];
  }

  /** Forgets an update that the webhook took. */
  confirm(update: Update): void {
    this.#updates = this.#updates.filter(({ update_id }) => update_id !== update.update_id);
  }

  /** Notes a pressed button, whose query may be answered once. */
  expectAnswer(queryId: string): void {
    if (this.#queries.size >= QUERIES_MAX) this.#queries.clear();
    this.#queries.add(queryId);
  }

  /** False when no such query waits. */
  takeAnswer(queryId: string): boolean {
    return this.#queries.delete(queryId);
  }

  dropUpdates(): void {
    this.#updates = [];
  }

  /**
   * What waits from `offset` on (negative: the last so many); everything before it is confirmed and forgotten.
   */
  take(offset: number, limit: number): Update[] {
    if (offset < 0) this.#updates = this.#updates.slice(offset);
    if (offset > 0) this.#updates = this.#updates.filter(({ update_id }) => update_id >= offset);
    return this.#updates.slice(0, limit);
  }

  /** Waits for the next update; a second poll replaces the first, as Telegram allows only one. */
  poll(offset: number, limit: number, settle: Poll['settle']): () => void {
    this.#poll?.settle('replaced');
    const poll: Poll = { offset, limit, settle };
    this.#poll = poll;
    return () => {
      if (this.#poll === poll) this.#poll = undefined;
    };
  }

  snapshot(): BotSnapshot {
    return {
      id: this.id,
      webhook: this.webhook,
      nextUpdateId: this.#nextUpdateId,
      updates: this.#updates,
      chats: [...this.chats.values()],
      commands: this.commands,
    };
  }

  #answerPoll(): void {
    const poll = this.#poll;
    if (!poll) return;
    const updates = this.take(Math.max(poll.offset, 0), poll.limit);
    if (updates.length === 0) return;
    this.#poll = undefined;
    poll.settle(updates);
  }
}

/** Telegram gives a person's first name with every private chat; here it is told from the id. */
export function privateChat(id: number): Chat {
  return { id, type: 'private', first_name: `Person ${id}` };
}

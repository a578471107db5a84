import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { FaultOrder } from './faults.ts';
import type { Fault } from './fault.ts';
import type { BotSnapshot } from './telegram-bot.ts';
import { parseJson } from '../../domain/shared/json.ts';

const STATE_FILE = 'state.json';
/** Changes that come together are written together. */
const SAVE_MS = 50;

const Snapshot = z.object({
  id: z.number(),
  webhook: z
    .object({
      url: z.string(),
      secretToken: z.string().optional(),
      allowedUpdates: z.array(z.string()).optional(),
      maxConnections: z.number(),
    })
    .optional(),
  nextUpdateId: z.number(),
  updates: z.array(z.looseObject({ update_id: z.number() })),
  chats: z.array(z.looseObject({ id: z.number(), type: z.string() })),
  commands: z.array(z.unknown()),
});
const State = z.object({ faults: z.array(FaultOrder), bots: z.array(Snapshot) });
export interface SavedState {
  faults: Fault[];
  bots: BotSnapshot[];
}

/** What is in force besides messages (faults, webhooks, waiting updates), kept over a restart in `state.json`. */
export class Settings {
  readonly saved: SavedState;
  readonly #path: string;
  readonly #log: Logger;
  #current: (() => SavedState) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, saved: SavedState, log: Logger) {
    this.#path = path;
    this.saved = saved;
    this.#log = log;
  }

  static async open(directory: string, log: Logger): Promise<Settings> {
    const path = join(directory, STATE_FILE);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return new Settings(path, { faults: [], bots: [] }, log);
    const state = State.safeParse(parseJson(text));
    if (!state.success) log.warn({ path }, 'sandbox state not readable, starting without it');
    return new Settings(path, state.success ? state.data : { faults: [], bots: [] }, log);
  }

  /** Says where to read the present state from; until then nothing is written. */
  watch(current: () => SavedState): void {
    this.#current = current;
  }

  changed(): void {
    if (this.#current) this.#timer ??= setTimeout(() => void this.flush(), SAVE_MS);
  }

  /** Written beside and renamed, so that a kill leaves either the old state or the new one. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    if (!this.#current) return;
    try {
      const beside = `${this.#path}.new`;
      await writeFile(beside, JSON.stringify(this.#current()), { mode: 0o600 });
      await rename(beside, this.#path);
    } catch (error) {
      this.#log.error({ err: error }, 'sandbox state not written');
    }
  }
}

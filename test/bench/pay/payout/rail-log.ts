import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 200;
const PART_BYTES = 1_048_576;

/** Follows what the rail writes of the payments that it has made. */
export class RailLog {
  readonly #path: string;
  #at = 0;
  #rest = '';
  /** References, and when each was paid: milliseconds of the epoch. */
  readonly paid = new Map<string, number>();
  /** Of one reference. */
  paidTwice = 0;
  #stopped = false;
  #following: Promise<void> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  follow(): void {
    this.#following = (async () => {
      while (!this.#stopped) {
        await this.#read();
        await sleep(LOOK_MS);
      }
      await this.#read();
    })();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#following;
  }

  async #read(): Promise<void> {
    const file = await open(this.#path, 'r');
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(PART_BYTES), 0, PART_BYTES, this.#at);
        if (bytesRead === 0) return;
        this.#at += bytesRead;
        // ASCII alone, so that no character is torn.
        this.#take(buffer.toString('latin1', 0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.includes('"t":"paid"')) continue;
      const { reference, at } = JSON.parse(line) as { reference: string; at: number };
      if (this.paid.has(reference)) this.paidTwice++;
      this.paid.set(reference, at);
    }
  }
}

/** Without the beginning, in which everything is compiled, and the end, in which fewer and fewer are under way. */
const FROM = 0.1;
const TO = 0.95;

/** Payments a second, of the middle of those that were made. */
export function rateOf(paidAtMs: readonly number[]): number {
  const sorted = paidAtMs.toSorted((a, b) => a - b);
  const [from, to] = [Math.floor(sorted.length * FROM), Math.floor(sorted.length * TO)];
  return (to - from) / (((sorted[to] ?? Number.NaN) - (sorted[from] ?? Number.NaN)) / 1_000);
}

import { type FileHandle, open } from 'node:fs/promises';

/** One 202, as the caller saw it. */
export interface Accepted {
  readonly key: string;
  readonly id: string;
  /** Null: a message to many. */
  readonly jobId: string | null;
  readonly kind: 'otp-send' | 'telegram-message' | 'push';
  readonly recipients: number;
  readonly atMs: number;
  readonly replayed: boolean;
}

/**
 * The caller's own list of 202s. A line counts once it is on the disk: appended, then `fdatasync`. Lines that arrive
 * during one sync share the next.
 */
export class AcceptedList {
  readonly #file: FileHandle;
  readonly #lines: Accepted[] = [];
  #pending: { accepted: Accepted; written: () => void }[] = [];
  #writing: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<AcceptedList> {
    return new AcceptedList(await open(path, 'a'));
  }

  get all(): readonly Accepted[] {
    return this.#lines;
  }

  /** Resolves when the line is on the disk. */
  add(accepted: Accepted): Promise<void> {
    return new Promise((written) => {
      this.#pending.push({ accepted, written });
      this.#writing ??= this.#write();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      await this.#file.appendFile(batch.map(({ accepted }) => `${JSON.stringify(accepted)}\n`).join(''));
      await this.#file.datasync();
      for (const { accepted, written } of batch) {
        this.#lines.push(accepted);
        written();
      }
    }
    this.#writing = undefined;
  }
}

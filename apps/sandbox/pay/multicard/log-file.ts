import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { parseJson } from '../../../../domain/shared/json.ts';

/** Longer than any line: where a kill tore the last one, its begin is within this. */
const LINE_BYTES_MAX = 65_536;
const NEW_LINE = 0x0a;

/** Lines in the order in which they happened, appended in groups, each group with one fsync. */
export class LogFile {
  readonly #file: FileHandle;
  #lines: string[] = [];
  #waiting: PromiseWithResolvers<void>[] = [];
  #isWriting = false;
  #isClosed = false;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens it for more, and gives `replay` each line that is there. A last line that a kill tore was never answered, and is cut off. */
  static async open(path: string, replay: (line: unknown) => void): Promise<LogFile> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, 'a+', 0o600);
    await cutTornLine(file);
    const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
    for await (const line of lines) replay(parseJson(line));
    return new LogFile(file);
  }

  /** Written with the next group, which begins at once. */
  append(line: object): void {
    if (this.#isClosed) return;
    this.#lines.push(`${JSON.stringify(line)}\n`);
    this.#begin();
  }

  /** Resolves when all that was appended is on the disk. */
  flushed(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    const waiter = Promise.withResolvers<void>();
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flushed();
    await this.#file.close();
  }

  #begin(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    // What can't be written is nobody's to catch, and ends the process: a rail without its log must not answer.
    void this.#write();
  }

  async #write(): Promise<void> {
    // What is appended in this turn of the loop is one group.
    await Promise.resolve();
    while (this.#lines.length > 0 || this.#waiting.length > 0) {
      const [lines, waiting] = [this.#lines, this.#waiting];
      [this.#lines, this.#waiting] = [[], []];
      if (lines.length > 0) await this.#file.appendFile(lines.join(''));
      await this.#file.datasync();
      for (const { resolve } of waiting) resolve();
    }
    this.#isWriting = false;
  }
}

async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const length = Math.min(size, LINE_BYTES_MAX);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  const end = buffer.lastIndexOf(NEW_LINE) + 1;
  if (end < length) await file.truncate(size - length + end);
}

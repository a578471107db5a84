import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import type { Logger } from 'pino';

/** 20 ms: well inside the 50 ms that a reader of the files is promised, and 50 writes a second at most. */
const FLUSH_MS = 20;
/** 64 MiB of unwritten lines, about 20 s of load on a disk that hangs; past it the oldest lines are given up. */
const BUFFER_CHARS_MAX = 64 * 1024 * 1024;
/** 256 MiB, some 700 000 messages. A start that finds more sets the file aside, so that two of them are the most there is. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

/**
 * An append-only file of JSON lines. Lines are gathered for `FLUSH_MS` and written in one append, so that a message costs no
 * system call of its own. A crash of this process loses at most those milliseconds. A failed write is tried again with the next
 * flush; where the disk had taken a part of it, lines stand twice, so readers count distinct ids.
 */
export class Journal {
  readonly #file: FileHandle;
  readonly #log: Logger;
  #pending: string[] = [];
  #pendingChars = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, log: Logger) {
    this.#file = file;
    this.#log = log;
  }

  static async open(path: string, log: Logger, bytesMax = FILE_BYTES_MAX): Promise<Journal> {
    await setAside(path, bytesMax);
    const file = await open(path, 'a', 0o600);
    const journal = new Journal(file, log);
    // A kill may have torn the last line: close it, so that the next one stands alone.
    if (await endsInsideLine(path)) journal.#pending.push('\n');
    return journal;
  }

  append(record: object): void {
    const line = `${JSON.stringify(record)}\n`;
    this.#pending.push(line);
    this.#pendingChars += line.length;
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  /** Resolves when everything appended so far was handed to the operating system, or its failure was logged. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file.close();
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#pendingChars = 0;
    try {
      await this.#file.appendFile(batch.join(''));
    } catch (error) {
      this.#log.error({ err: error, lines: batch.length }, 'sandbox log not written, will try again');
      this.#takeBack(batch);
    }
  }

  #takeBack(batch: string[]): void {
    this.#pending = [...batch, ...this.#pending];
    this.#pendingChars = this.#pending.reduce((sum, line) => sum + line.length, 0);
    while (this.#pendingChars > BUFFER_CHARS_MAX)
      this.#pendingChars -= this.#pending.shift()?.length ?? this.#pendingChars;
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }
}

function asideOf(path: string): string {
  return `${path}.old`;
}

/** Only at a start: who counts the lines of a running sandbox finds all of them in one file. */
async function setAside(path: string, bytesMax: number): Promise<void> {
  const found = await stat(path).catch(ignoreMissing);
  if (found && found.size > bytesMax) await rename(path, asideOf(path));
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function endsInsideLine(path: string): Promise<boolean> {
  const { size } = await stat(path);
  if (size === 0) return false;
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] !== 0x0a;
  } finally {
    await file.close();
  }
}

/**
 * The last lines of a journal, oldest first, at most `bytesMax` bytes of each of its two files; [] when there is none.
 * A line that is not JSON (torn by a kill) is left out.
 */
export async function readTail(path: string, bytesMax: number): Promise<unknown[]> {
  return [...(await readFileTail(asideOf(path), bytesMax)), ...(await readFileTail(path, bytesMax))];
}

async function readFileTail(path: string, bytesMax: number): Promise<unknown[]> {
  const file = await open(path, 'r').catch(ignoreMissing);
  if (!file) return [];
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytesMax);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    // The cut rarely falls between two lines.
    if (length < size) lines.shift();
    return lines.flatMap(parseLine);
  } finally {
    await file.close();
  }
}

function parseLine(line: string): unknown[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Variables } from './environment.ts';

export type Role = 'api' | 'worker' | 'reconciler' | 'sandbox';

export interface MemberSpec {
  readonly name: string;
  readonly role: Role;
  /** The file that Node runs, and its arguments. */
  readonly command: readonly string[];
  /** The `msg` of the log line that says it does its work. */
  readonly readyMessage: string;
  readonly env: Variables;
  readonly logFile: string;
}

/** Cold, with a server away in between, on a machine that does ten other things: a minute was too little. */
const READY_MS_MAX = 300_000;
/** As a supervisor would: a process that could not start (Postgres away) is tried again soon. */
const RESTART_PAUSE_MS = 200;
const STOP_GRACE_MS = 15_000;
/** Of what a process says when it ends by itself: the first lines of a stack name the fault. */
const LAST_WORDS_CHARS = 600;

type Running = ChildProcessByStdio<null, Readable, Readable>;

/** One real process of the product, which is started again whenever it ends, until it is stopped for good. */
export class Member {
  readonly spec: MemberSpec;
  /** Ends that nobody had ordered, after it was ready: each is a bug. */
  readonly crashes: string[] = [];
  #running: Running | undefined;
  #ready = Promise.withResolvers<void>();
  #isReady = false;
  #ordered = false;
  #over = false;
  #isFrozen = false;
  #lastWords = '';
  readonly #log: WriteStream;

  constructor(spec: MemberSpec) {
    this.spec = spec;
    this.#log = createWriteStream(spec.logFile, { flags: 'a' });
  }

  /** Does its work now, neither killed nor frozen. */
  get isUp(): boolean {
    return this.#isReady && !this.#isFrozen;
  }

  start(): void {
    const { command, env } = this.spec;
    const running = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running = running;
    this.#ordered = false;
    running.stderr.pipe(this.#log, { end: false });
    this.#lastWords = '';
    running.stderr.on('data', (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString()).slice(0, LAST_WORDS_CHARS);
    });
    createInterface(running.stdout).on('line', (line) => {
      this.#log.write(`${line}\n`);
      if (!this.#isReady && this.#running === running && line.includes(`"msg":"${this.spec.readyMessage}"`)) {
        this.#isReady = true;
        this.#ready.resolve();
      }
    });
    running.once('exit', (code, signal) => void this.#ended(signal ?? `code ${code}`));
  }

  async untilReady(): Promise<void> {
    const late = sleep(READY_MS_MAX, 'late', { ref: false });
    const first = await Promise.race([this.#ready.promise, late]);
    if (first === 'late') throw new Error(`${this.spec.name} was not ready within ${READY_MS_MAX} ms`);
  }

  /** `kill -9`; it is started again. */
  kill(): void {
    this.#ordered = true;
    this.#isReady = false;
    this.#ready = Promise.withResolvers();
    this.#running?.kill('SIGKILL');
  }

  freeze(): void {
    this.#isFrozen = true;
    this.#running?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#running?.kill('SIGCONT');
  }

  /** SIGTERM, a bounded wait, SIGKILL; it is not started again. */
  async stop(): Promise<void> {
    this.#over = true;
    this.#ordered = true;
    const running = this.#running;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    this.thaw();
    const gone = once(running, 'exit');
    running.kill('SIGTERM');
    if ((await Promise.race([gone, sleep(STOP_GRACE_MS, 'late', { ref: false })])) === 'late')
      running.kill('SIGKILL');
    await gone;
  }

  async #ended(how: string): Promise<void> {
    if (!this.#ordered && this.#isReady)
      this.crashes.push(`${this.spec.name} ended by itself: ${how}: ${this.#lastWords}`);
    if (this.#isReady) {
      this.#isReady = false;
      this.#ready = Promise.withResolvers();
    }
    this.#isFrozen = false;
    if (this.#over) return;
    await sleep(RESTART_PAUSE_MS);
    if (!this.#over) this.start();
  }
}

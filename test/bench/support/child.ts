import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../../../infra/embedded/process.ts';

/** Loading every SDK takes a second on an idle machine. */
const READY_TIMEOUT_MS = 60_000;
/** Longer than the processes' own drains, so that a profile is written. */
const STOP_GRACE_MS = 15_000;

export interface ChildOptions {
  /** Below the repository's root. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly profile?: string | undefined;
}

/** A process of our own. It has printed a line with `ready` in it; what it prints later is read line by line. */
export interface Child {
  readonly pid: number;
  /** Writes one line of JSON to its standard input. */
  tell(message: unknown): void;
  /** The next line of standard output that is a JSON object with a member `bench`. */
  answer(timeoutMs: number): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startChild({ file, args = [], env, profile }: ChildOptions): Promise<Child> {
  const path = fileURLToPath(new URL(`../../../${file}`, import.meta.url));
  const flags = profile
    ? [
        '--cpu-prof',
        `--cpu-prof-dir=${profile}`,
        `--cpu-prof-name=${file.replaceAll('/', '-')}-${Date.now()}.cpuprofile`,
      ]
    : [];
  const child = spawn(process.execPath, [...flags, path, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${file} could not be run`);
  const mailbox = readAnswers(child, file);
  await mailbox.ready;
  return {
    pid,
    tell: (message) => void child.stdin?.write(`${JSON.stringify(message)}\n`),
    answer: mailbox.answer,
    stop: () => endProcess(pid, STOP_GRACE_MS),
  };
}

function readAnswers(child: ChildProcess, file: string) {
  const answers: unknown[] = [];
  const arrived = new EventTarget();
  const ready = Promise.withResolvers<void>();
  let ended = false;
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  lines.on('line', (line) => {
    if (line.includes('ready')) ready.resolve();
    if (!line.startsWith('{"bench":')) return;
    answers.push(JSON.parse(line));
    arrived.dispatchEvent(new Event('answer'));
  });
  child.once('exit', () => {
    ended = true;
    ready.reject(new Error(`${file} ended before it was ready`));
    arrived.dispatchEvent(new Event('answer'));
  });
  const timer = setTimeout(() => ready.reject(new Error(`${file} was not ready in time`)), READY_TIMEOUT_MS);
  const answer = async (timeoutMs: number): Promise<unknown> => {
    const signal = AbortSignal.timeout(timeoutMs);
    while (answers.length === 0) {
      if (ended) throw new Error(`${file} ended without an answer`);
      await once(arrived, 'answer', { signal });
    }
    return answers.shift();
  };
  return { ready: ready.promise.finally(() => clearTimeout(timer)), answer };
}

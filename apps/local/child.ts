import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from './log-lines.ts';
import type { Restart } from './restarts.ts';
import type { Variables } from './secrets.ts';

/** How a child says that it does its work: an address that answers 2xx, or a line of its log. */
export type Readiness = { readonly url: string } | { readonly logMessage: string };

export interface ChildSpec {
  readonly name: string;
  /** The file that Node runs and its arguments. */
  readonly command: readonly [entry: string, ...args: string[]];
  readonly readiness: Readiness;
}

export interface ChildContext {
  readonly directory: string;
  readonly env: Variables;
  readonly onLine: (child: string, line: string) => void;
  /** Told of every process that begins (its pid) and ends (undefined), before anything else happens. */
  readonly onProcess: (child: string, pid: number | undefined) => void;
  /** What to do after a crash, given the times of all of them up to now. */
  readonly decideRestart: (crashedAtMs: readonly number[], nowMs: number) => Restart;
  /** It crashes again and again, and is not started any more. */
  readonly onGiveUp: (child: string) => void;
}

export interface Child {
  readonly name: string;
  /** Resolves once it is ready. Rejects when it ends before that, the deadline passes, or `signal` says that nobody waits any more. */
  readonly untilReady: (signal: AbortSignal) => Promise<void>;
  /** SIGTERM, a bounded wait, SIGKILL; it is not started again. `forced` cuts the wait short. */
  readonly stop: (forced: AbortSignal) => Promise<void>;
}

/** From spawn to ready; a cold disk and a busy machine included. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;
/** Longer than any of our processes takes to drain by itself. */
const STOP_GRACE_MS = 40_000;

type Running = ChildProcessByStdio<null, Readable, Readable>;

interface Life {
  readonly spec: ChildSpec;
  readonly context: ChildContext;
  readonly ready: PromiseWithResolvers<void>;
  readonly stopping: AbortController;
  /** The process of now; replaced by each restart. */
  running: Running;
  /** A child that was never ready fails the start, and a second try would only say so again. */
  wasReady: boolean;
}

/** Starts one process and keeps it running: one that ends by itself is started again, ever later, until it is hopeless. */
export function startChild(spec: ChildSpec, context: ChildContext): Child {
  const ready = Promise.withResolvers<void>();
  const running = launch(spec, context, ready.resolve);
  const life: Life = { spec, context, ready, running, stopping: new AbortController(), wasReady: false };
  ready.promise.then(
    () => (life.wasReady = true),
    // Whoever waits hears of it; nobody may be waiting.
    () => undefined,
  );
  const ended = keepAlive(life);
  return {
    name: spec.name,
    untilReady: (signal) => untilReady(life, signal),
    stop: (forced) => stop(life, ended, forced),
  };
}

/** Returns when the process has ended and no other will be started. */
async function keepAlive(life: Life): Promise<void> {
  const { spec, context, ready, stopping } = life;
  const crashes: number[] = [];
  for (;;) {
    const how = await exited(life.running);
    context.onProcess(spec.name, undefined);
    ready.reject(new Error(`${spec.name} ended (${how}) before it was ready; its reason stands above.`));
    if (stopping.signal.aborted || !life.wasReady) return;
    crashes.push(performance.now());
    const next = context.decideRestart(crashes, performance.now());
    if (next === 'give-up') return context.onGiveUp(spec.name);
    context.onLine(spec.name, `${spec.name} ended (${how}); it starts again in ${next.restartInMs} ms`);
    if (!(await pause(next.restartInMs, stopping.signal))) return;
    life.running = launch(spec, context, ready.resolve);
  }
}

async function untilReady({ spec, ready }: Life, signal: AbortSignal): Promise<void> {
  const waits = new AbortController();
  const over = AbortSignal.any([signal, waits.signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  try {
    if ('url' in spec.readiness) void answers(spec.readiness.url, over).then((yes) => yes && ready.resolve());
    await Promise.race([ready.promise, lateness(spec.name, over)]);
  } finally {
    waits.abort();
  }
}

async function stop(life: Life, ended: Promise<void>, forced: AbortSignal): Promise<void> {
  life.stopping.abort();
  life.running.kill('SIGTERM');
  const late = AbortSignal.any([forced, AbortSignal.timeout(STOP_GRACE_MS)]);
  const kill = () => life.running.kill('SIGKILL');
  if (late.aborted) kill();
  late.addEventListener('abort', kill, { once: true });
  await ended;
  late.removeEventListener('abort', kill);
}

function launch(spec: ChildSpec, context: ChildContext, onReady: () => void): Running {
  // A session of its own: a Ctrl-C in the terminal is the supervisor's to pass on, in its order.
  const child = spawn(process.execPath, [...spec.command], {
    cwd: context.directory,
    env: { ...context.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.onProcess(spec.name, child.pid);
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => {
      context.onLine(spec.name, line);
      if ('logMessage' in spec.readiness && messageOf(line) === spec.readiness.logMessage) onReady();
    });
  return child;
}

/** How it ended, in words. `close`, not `exit`: its last lines say why. */
async function exited(child: Running): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return signal ?? `exit code ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'it could not be run';
  }
}

/** True once it answers 2xx, false when nobody waits any more. */
async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const probe = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
    const answer = await fetch(url, { signal: probe }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return true;
    await pause(READY_POLL_MS, signal);
  }
  return false;
}

function lateness(name: string, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new Error(`${name} was not ready in ${READY_TIMEOUT_MS / 1_000} s.`));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/** False when `signal` ended the pause. */
const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal }).catch(() => false);

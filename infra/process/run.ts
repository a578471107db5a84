import { ConfigError } from './config.ts';

/** Ends by itself whatever drains for longer: an orchestrator would kill it at about this time anyway. */
const STOP_LIMIT_MS = 30_000;

/** A failure that a person can mend needs one sentence, not a stack. */
const mendable = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES']);

/**
 * Runs a process from start to stop. `start` gives back what drains it; SIGTERM and SIGINT call that once, and a
 * second signal ends the process on the spot.
 */
export async function runProcess(start: () => Promise<() => Promise<void>>): Promise<void> {
  try {
    const stop = await start();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(stop));
  } catch (error) {
    console.error(sentence(error));
    process.exit(1);
  }
}

/** Runs what ends by itself: what a person can mend is one sentence and exit code 1. */
export async function runOnce(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(sentence(error));
    process.exitCode = 1;
  }
}

async function end(stop: () => Promise<void>): Promise<void> {
  const limit = setTimeout(() => process.exit(1), STOP_LIMIT_MS);
  try {
    await stop();
    clearTimeout(limit);
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

function sentence(error: unknown): unknown {
  const known =
    error instanceof ConfigError ||
    (error instanceof Error && 'code' in error && mendable.has(String(error.code)));
  return known ? error.message : error;
}

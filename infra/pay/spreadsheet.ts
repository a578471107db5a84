import { Worker } from 'node:worker_threads';
import { fault } from '../../domain/pay/list/faults.ts';
import type { ListRail } from '../../domain/pay/list/limits.ts';
import { faulty, type ReadList } from '../../domain/pay/list/read-list.ts';
import type { SpreadsheetTask } from './spreadsheet-worker.ts';

/** 100 000 lines of XLSX take some 4 s on a machine with twice the work that it has cores for. */
const READ_MS_MAX = 20_000;
/** What those lines take, twice over. A file made to fill the memory ends the thread, and not the process. */
const HEAP_MB_MAX = 768;

/** One file at a time, whatever its bytes would take. */
let before: Promise<unknown> = Promise.resolve();

/** Reads a list in a thread of its own: neither a large file nor a bad one holds up anybody else. */
export function readSpreadsheet(bytes: Uint8Array, rail: ListRail): Promise<ReadList> {
  const read = before.then(() => readInThread({ bytes, rail }));
  before = read.catch(() => undefined);
  return read;
}

async function readInThread(task: SpreadsheetTask): Promise<ReadList> {
  const thread = new Worker(new URL('./spreadsheet-worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  try {
    return await answerOf(thread);
  } finally {
    await thread.terminate();
  }
}

function answerOf(thread: Worker): Promise<ReadList> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve(faulty([fault('file-too-slow', { line: 1 })])), READ_MS_MAX);
    thread.once('message', (list: ReadList) => resolve(list));
    thread.once('error', (error: Error & { code?: string }) =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? resolve(faulty([fault('file-unpacks-too-large', { line: 1 })]))
        : reject(error),
    );
    thread.once('exit', () => {
      clearTimeout(late);
      reject(new Error('the thread that reads a list ended without an answer'));
    });
  });
}

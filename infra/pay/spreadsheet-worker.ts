import { parentPort, workerData } from 'node:worker_threads';
import type { ListRail } from '../../domain/pay/list/limits.ts';
import { readBytes } from './read-bytes.ts';

/** What a thread is started with. */
export interface SpreadsheetTask {
  readonly bytes: Uint8Array;
  readonly rail: ListRail;
}

const { bytes, rail } = workerData as SpreadsheetTask;
parentPort?.postMessage(await readBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), rail));

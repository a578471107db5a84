import type { Server } from 'node:http';
import { drain, listen } from '../../../apps/http/server.ts';
import { runProcess } from '../../../infra/process/run.ts';

const DRAIN_LIMIT_MS = 5_000;

/** A process that serves at `API_PORT` until it is told to stop. */
export function serve(build: () => Promise<{ server: Server; close?: () => Promise<void> }>): Promise<void> {
  return runProcess(async () => {
    const { server, close } = await build();
    await listen(server, '127.0.0.1', Number(process.env['API_PORT']));
    console.log('ready');
    return async () => {
      await drain(server, DRAIN_LIMIT_MS);
      await close?.();
    };
  });
}

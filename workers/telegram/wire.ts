import { reopenChats } from '../../infra/postgres/telegram/chats.ts';
import { TICK_MS } from '../../infra/process/ticks.ts';
import type { WiredWorkers, WorkerPlatform } from '../wire.ts';

/** Chats that were closed long ago are tried again. */
export const wireTelegram = ({ clock, log }: WorkerPlatform): WiredWorkers => ({
  ticks: (pool) => ({
    chats: async () => {
      const reopened = await reopenChats(pool, clock());
      if (reopened > 0) log.info({ reopened }, 'chats');
      return TICK_MS;
    },
  }),
});

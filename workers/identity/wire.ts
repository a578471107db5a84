import { notices } from '../../infra/postgres/identity/approval/notices.ts';
import { broadcastIntake } from '../../infra/postgres/message/broadcast/intake.ts';
import { keyedHash, rowEncryption } from '../../infra/process/crypto.ts';
import type { WiredWorkers, WorkerPlatform } from '../wire.ts';
import { announcer } from './notifier.ts';

/** What people are told on their own devices and chats, as messages of Navbat's own project. */
export const wireNotices = ({ configOf, clock: now }: WorkerPlatform): WiredWorkers => ({
  ticks: (pool) => {
    const { PEPPER, ENCRYPTION_KEYS } = configOf('reconciler');
    const intake = broadcastIntake({
      pool,
      hash: keyedHash(PEPPER),
      encryption: rowEncryption(ENCRYPTION_KEYS),
      now,
    });
    return { announce: announcer({ notices: notices(pool), intake, now }) };
  },
});

import { notices } from '../../infra/postgres/identity/approval/notices.ts';
import { broadcastIntake } from '../../infra/postgres/message/broadcast/intake.ts';
import { keyedHash, sealer } from '../../infra/process/crypto.ts';
import type { WiredWorkers, WorkerPlatform } from '../wire.ts';
import { announcer } from './notifier.ts';

/** What people are told on their own devices and chats, as messages of Navbat's own project. */
export const wireNotices = ({ configOf, clock: now }: WorkerPlatform): WiredWorkers => ({
  ticks: (pool) => {
    const { PEPPER, SEAL_KEYS } = configOf('sweep');
    const intake = broadcastIntake({ pool, hash: keyedHash(PEPPER), seal: sealer(SEAL_KEYS), now });
    return { announce: announcer({ notices: notices(pool), intake, now }) };
  },
});

import type { Settle } from '../job/settle.ts';
import { freeStuckMessages } from './broadcast/stuck.ts';

/** A message of a broadcast that was cancelled, or that nobody wants any more, must not be sent. */
export const messageSettle: Settle = {
  waitsUntil: (now) => `(select expires_at from broadcast
     where broadcast.id = job.subject_id and state <> 'cancelled' and expires_at > ${now})`,
  freeStuck: freeStuckMessages,
};

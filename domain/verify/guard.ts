import type { Guarded } from '../job/guard.ts';
import type { Channel } from './channel.ts';
import type { CodeMessage } from './port.ts';

/** A channel of one-time codes behind its concurrency limit and its breaker. */
export type GuardedChannel = Guarded<CodeMessage, Channel>;

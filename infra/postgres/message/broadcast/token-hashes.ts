import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BroadcastOrder } from '../../../../domain/message/broadcast/broadcast.ts';
import type { KeyedHash } from '../../../process/crypto.ts';
import { TARGETS_A_TURN } from './reach.ts';

/** The hashes of bare push tokens, by token: with them a recipient is found whose device it is. */
export async function tokenHashes(
  hash: KeyedHash,
  orders: readonly BroadcastOrder[],
): Promise<ReadonlyMap<string, Buffer>> {
  const hashes = new Map<string, Buffer>();
  for (const { targets } of orders)
    for (const target of targets) {
      if (target.by !== 'token') continue;
      if (hashes.size % TARGETS_A_TURN === TARGETS_A_TURN - 1) await nextTurn();
      hashes.set(target.token, hash('push-token', target.token));
    }
  return hashes;
}

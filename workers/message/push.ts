import type { PushWork } from '../../domain/message/broadcast/work.ts';
import { deviceAddress } from '../../domain/push/address.ts';
import type { SingleDeps } from '../engine/single.ts';

export interface TokenPruner {
  /** The app was removed from this recipient's device. A token that was set meanwhile stays. */
  forgetPushToken(recipientId: string, token: string): Promise<void>;
}

/** Only the final codes of the provider prune a token: anything else may be an outage. */
export function pruneDeadToken(addresses: TokenPruner): NonNullable<SingleDeps<PushWork>['afterReply']> {
  return async (_job, { recipientId, to }, _attempt, reply) => {
    if (reply.kind === 'refused' && reply.addressIsDead && recipientId && !('topic' in to))
      await addresses.forgetPushToken(recipientId, deviceAddress(to));
  };
}

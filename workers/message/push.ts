import type { PushWork } from '../../domain/message/broadcast/work.ts';
import { deviceAddress } from '../../domain/push/address.ts';
import type { Provider } from '../../domain/job/guard.ts';
import type { SingleDeps } from '../engine/single.ts';
import type { lastLook } from './last-look.ts';

/** A push has no turn to wait for; a look is asked for all the same, since a database may be slow to open the attempt. */
export const wantedPushes = (
  sender: Provider<PushWork, 'push'>,
  isUnwanted: ReturnType<typeof lastLook>,
): Provider<PushWork, 'push'> => ({
  channel: sender.channel,
  provider: sender.provider,
  send: async (work, signal) => (await isUnwanted(work)) ?? sender.send(work, signal),
});

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

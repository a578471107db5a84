import type { Provider } from '../../job/guard.ts';
import type { DeviceTarget } from '../../push/address.ts';
import type { PushContent } from './message.ts';

/** One device, or everybody who subscribed to a topic. */
export type PushTarget = DeviceTarget | { readonly topic: string };

export interface PushMessage {
  readonly to: PushTarget;
  readonly content: PushContent;
}

/** `addressIsDead` is said of a device alone, and only where the provider's own code condemns it. */
export type PushSender = Provider<PushMessage, 'push'>;

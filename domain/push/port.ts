import type { Provider } from '../job/guard.ts';
import type { PushContent } from './message.ts';

/** One device, by its registration token, or everybody who subscribed to a topic. */
export type PushTarget = { readonly token: string } | { readonly topic: string };

export interface PushMessage {
  readonly to: PushTarget;
  readonly content: PushContent;
}

/** `addressIsDead` is said of a token alone, and only where the provider's own code condemns it. */
export type PushSender = Provider<PushMessage, 'push'>;

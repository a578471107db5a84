import type { Message } from 'firebase-admin/messaging';
import type { CodeChannel, CodeMessage } from '../../../domain/verify/port.ts';
import { deviceTarget } from '../../../domain/push/address.ts';
import { FCM_PROVIDER, type FcmClient } from '../push/fcm-client.ts';
import { addressOf } from '../replies.ts';

/** Codes as pushes to the project's own app. */
export function fcmPush(client: FcmClient, clock: () => Date = () => new Date()): CodeChannel {
  return {
    channel: 'push',
    provider: FCM_PROVIDER,
    async send(message, signal) {
      const address = addressOf(FCM_PROVIDER, message.to.pushToken);
      return client.send({ ...pushOf(message, clock()), ...deviceTarget(address) }, signal);
    },
  };
}

type Content = Pick<Message, 'notification' | 'data' | 'android' | 'apns'>;

function pushOf(message: CodeMessage, now: Date): Content {
  const { jobId, title, text, ttlSeconds } = message;
  const expiresAt = Math.floor(now.getTime() / 1_000 + ttlSeconds);
  return {
    notification: { title, body: text },
    // For the app to tell what this is; the code stands in the text alone, which the system shows and apps don't log.
    data: { kind: 'code', job_id: jobId },
    // High: a sleeping phone is woken. The tag and the collapse id let a repeat replace what it repeats.
    android: {
      priority: 'high',
      ttl: ttlSeconds * 1_000,
      notification: { tag: jobId, visibility: 'private' },
    },
    apns: {
      headers: { 'apns-expiration': String(expiresAt), 'apns-priority': '10', 'apns-collapse-id': jobId },
      payload: { aps: { sound: 'default' } },
    },
  };
}

import type { AndroidConfig, ApnsConfig, Message } from 'firebase-admin/messaging';
import type { PushContent } from '../../../domain/message/push/message.ts';
import type { PushSender } from '../../../domain/message/push/port.ts';
import { FCM_PROVIDER, type FcmClient } from '../push/fcm-client.ts';

/** Pushes of any content, to a device or a topic (contracts §4). */
export function pushSender(client: FcmClient, clock: () => Date = () => new Date()): PushSender {
  return {
    channel: 'push',
    provider: FCM_PROVIDER,
    async send({ to, content }, signal) {
      const reply = await client.send({ ...messageOf(content, clock()), ...to }, signal);
      // A topic has no token to forget, whatever FCM says of it.
      return reply.kind === 'refused' && 'topic' in to ? { ...reply, addressIsDead: false } : reply;
    },
  };
}

type Content = Pick<Message, 'notification' | 'data' | 'android' | 'apns' | 'webpush'>;

function messageOf(content: PushContent, now: Date): Content {
  const { notification, data, ttl_seconds } = content;
  return {
    ...(notification && { notification: notificationOf(notification) }),
    ...(data && { data }),
    android: androidOf(content),
    apns: apnsOf(content, now),
    webpush: { headers: { TTL: String(ttl_seconds) } },
  };
}

function notificationOf({ title, body, image }: NonNullable<PushContent['notification']>) {
  return { title, ...(body !== undefined && { body }), ...(image !== undefined && { imageUrl: image }) };
}

function androidOf({ android, notification, ttl_seconds, collapse_key }: PushContent): AndroidConfig {
  const shown = {
    ...(android?.channel_id !== undefined && { channelId: android.channel_id }),
    // The tag replaces what is shown already; the collapse key only what still waits for the phone.
    ...(collapse_key !== undefined && { tag: collapse_key }),
  };
  return {
    ttl: ttl_seconds * 1_000,
    ...(android?.priority && { priority: android.priority }),
    ...(collapse_key !== undefined && { collapseKey: collapse_key }),
    ...(notification && Object.keys(shown).length > 0 && { notification: shown }),
  };
}

/** Apple refuses a push of the highest priority that shows nothing, and one without `content-available` wakes no app. */
function apnsOf({ apns, notification, ttl_seconds, collapse_key }: PushContent, now: Date): ApnsConfig {
  const expiresAt = ttl_seconds === 0 ? 0 : Math.floor(now.getTime() / 1_000) + ttl_seconds;
  const isBackground = notification === undefined;
  return {
    headers: {
      'apns-expiration': String(expiresAt),
      'apns-priority': isBackground ? '5' : '10',
      'apns-push-type': isBackground ? 'background' : 'alert',
      ...(collapse_key !== undefined && { 'apns-collapse-id': collapse_key }),
    },
    payload: {
      aps: {
        ...(isBackground && { contentAvailable: true }),
        ...(apns?.badge !== undefined && { badge: apns.badge }),
        ...(apns?.sound !== undefined && { sound: apns.sound }),
      },
    },
  };
}

/** FCM takes 4 096 bytes of notification and data. */
export const PAYLOAD_BYTES_MAX = 4_096;

/** As they travel: JSON in UTF-8, in which a Cyrillic letter takes two bytes. */
export const payloadBytes = ({ notification, data }: { notification?: unknown; data?: unknown }): number =>
  [notification, data].reduce(
    (bytes: number, part) =>
      bytes + (part === undefined ? 0 : new TextEncoder().encode(JSON.stringify(part)).length),
    0,
  );

const reservedKeys: ReadonlySet<string> = new Set(['from', 'message_type', 'collapse_key']);

/**
 * FCM's own words: it refuses `from`, `message_type` and what begins with `google.` or `gcm.` (HTTP v1, Message.data), and its SDK
 * takes `collapse_key` out before the app sees it.
 */
export const isReservedKey = (key: string): boolean =>
  reservedKeys.has(key.toLowerCase()) || /^(?:google|gcm)(?:\.|$)/i.test(key);

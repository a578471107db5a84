import { z } from 'zod';
import { isReservedKey, PAYLOAD_BYTES_MAX, payloadBytes } from '../../push/payload.ts';
import { onceValid } from '../../shared/refine.ts';

/** Four weeks: the longest that FCM keeps a message for a phone that is off. */
const PUSH_TTL_SECONDS_MAX = 2_419_200;
const PUSH_TTL_SECONDS_DEFAULT = 86_400;

/** What a push says, whichever device shows it. */
export const PushContent = z
  .strictObject({
    notification: z
      .strictObject({
        title: z.string().min(1).max(200),
        body: z.string().max(2_000).optional(),
        image: z.url({ protocol: /^https$/ }).optional(),
      })
      .optional(),
    data: z
      .record(
        z
          .string()
          .min(1)
          .max(64)
          .refine((key) => !isReservedKey(key), {
            error:
              'expected a key that is not reserved by FCM: from, message_type, collapse_key, google.* and gcm.* never reach an app',
          }),
        z.string().max(PAYLOAD_BYTES_MAX),
      )
      .optional()
      .meta({
        description:
          'For your app. Keys other than `from`, `message_type`, `collapse_key`, `google.*` and `gcm.*`, which FCM reserves.',
      }),
    android: z
      .strictObject({
        priority: z.enum(['normal', 'high']).optional(),
        channel_id: z.string().max(100).optional(),
      })
      .optional(),
    apns: z
      .strictObject({ badge: z.int().min(0).optional(), sound: z.string().max(100).optional() })
      .optional(),
    ttl_seconds: z.int().min(0).max(PUSH_TTL_SECONDS_MAX).default(PUSH_TTL_SECONDS_DEFAULT),
    collapse_key: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'A later push with the same key replaces this one.' }),
  })
  .refine((content) => content.notification !== undefined || content.data !== undefined, {
    ...onceValid,
    error: 'expected notification or data',
    path: ['notification'],
  })
  .refine((content) => payloadBytes(content) <= PAYLOAD_BYTES_MAX, {
    ...onceValid,
    error: `expected at most ${PAYLOAD_BYTES_MAX} bytes of notification and data, as JSON in UTF-8`,
    path: ['data'],
  });
export type PushContent = z.infer<typeof PushContent>;

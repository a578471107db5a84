import { z } from 'zod';
import type { EventDefinition } from '../shared/event.ts';
import { Time } from '../shared/time.ts';
import { disabledReasons } from './endpoint.ts';

export const webhookEvents = {
  'endpoint.disabled': {
    meaning: 'An endpoint was disabled, by a 410 or after days without a success.',
    data: z.object({
      id: z.uuid().meta({ description: 'The endpoint: `GET /webhooks/endpoints/{id}`.' }),
      host: z.string().meta({ description: 'Of its URL.', example: 'example.com' }),
      reason: z.enum(disabledReasons).exclude(['owner']).meta({
        description: '`gone`: it answered 410. `failing`: five days without a success.',
      }),
      failing_since: Time.nullable().meta({ description: 'The first failure since the last success.' }),
      disabled_at: Time,
    }),
  },
  test: {
    meaning: 'You asked for it (`POST /webhooks/endpoints/{id}/test`).',
    data: z.object({
      id: z.uuid().meta({ description: 'The endpoint that it was sent to.' }),
      text: z.string(),
    }),
  },
} as const satisfies Record<string, EventDefinition>;

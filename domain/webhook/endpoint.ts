import { z } from 'zod';
import type { KeyMode } from '../project/key.ts';

/** What a person oversees; each may hold four places in the queue. */
export const ENDPOINTS_MAX = 10;
/** Removed ones among them, to which the log of deliveries points. */
export const ENDPOINTS_KEPT_MAX = 500;
const DESCRIPTION_CHARS_MAX = 200;
/** A key is replaced everywhere within a day. */
export const SECRET_KEPT_HOURS = 24;
/** Signatures on one call: who rotates more often within a day loses the oldest at once. */
export const SECRETS_MAX = 4;
/** Standard Webhooks: 24 to 64 bytes. */
export const SECRET_BYTES = 32;
/** An endpoint that fails for so long without one success is disabled. */
export const FAILING_DAYS_MAX = 5;

export const secretText = (base64: string): string => `whsec_${base64}`;

export const EndpointId = z.uuid().brand<'EndpointId'>();
export type EndpointId = z.infer<typeof EndpointId>;

/** owner: by request. gone: it answered 410. failing: five days without a success. */
export const disabledReasons = ['owner', 'gone', 'failing'] as const;
export type DisabledReason = (typeof disabledReasons)[number];

/**
 * Bodies of the requests that make and change an endpoint.
 *
 * @param eventTypes all that an endpoint may hear of: the registry's (`domain/events.ts`).
 */
export function endpointBodies(eventTypes: readonly string[]) {
  const url = z.string().meta({
    description: 'Where we POST to: https, at a public address.',
    example: 'https://example.com/navbat',
  });
  const description = z.string().max(DESCRIPTION_CHARS_MAX).nullable();
  const event_types = z
    .array(z.enum(eventTypes))
    .min(1)
    .max(eventTypes.length)
    .transform((types) => [...new Set(types)])
    .nullable()
    .meta({ description: 'Null: every type.' });

  const NewEndpoint = z.strictObject({
    url,
    description: description.default(null),
    event_types: event_types.default(null),
  });
  const EndpointChange = z.strictObject({
    url: url.optional(),
    description: description.optional(),
    event_types: event_types.optional(),
    enabled: z.boolean().optional().meta({
      description: 'Enabling forgets the failures so far. What was missed meanwhile is not sent by itself.',
    }),
  });
  return { NewEndpoint, EndpointChange };
}
type EndpointBodies = ReturnType<typeof endpointBodies>;
export type NewEndpoint = z.infer<EndpointBodies['NewEndpoint']>;
export type EndpointChange = z.infer<EndpointBodies['EndpointChange']>;

export interface EndpointView {
  readonly id: EndpointId;
  readonly mode: KeyMode;
  readonly url: string;
  readonly description: string | null;
  readonly eventTypes: readonly string[] | null;
  readonly failingSince: Date | null;
  readonly disabledAt: Date | null;
  readonly disabledReason: DisabledReason | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

import { z } from 'zod';
import { earnEvents } from './earn/events.ts';
import { messageEvents } from './message/events.ts';
import { payEvents } from './pay/events.ts';
import { isOn, type Owner, type Products } from './products.ts';
import { keyModes } from './project/key.ts';
import { Time } from './shared/time.ts';
import { verifyEvents } from './verify/events.ts';
import { webhookEvents } from './webhook/events.ts';

/**
 * Everything that a project can be told of: one line a context. Order of arrival is not promised: `timestamp` says when it
 * happened.
 */
export const events = {
  ...verifyEvents,
  ...messageEvents,
  ...payEvents,
  ...earnEvents,
  ...webhookEvents,
} as const;

const owned = [
  ['verify', verifyEvents],
  ['message', messageEvents],
  ['pay', payEvents],
  ['earn', earnEvents],
  ['platform', webhookEvents],
] as const satisfies readonly (readonly [Owner, object])[];

export type EventType = keyof typeof events;
export const eventTypes = Object.keys(events) as readonly EventType[];
export const EventType = z.enum(eventTypes);

/** Those of the products that are on. */
export const eventTypesOf = (on: Products): readonly EventType[] => {
  const told = new Set(owned.flatMap(([owner, its]) => (isOn(on, owner) ? Object.keys(its) : [])));
  return eventTypes.filter((type) => told.has(type));
};

/** The whole body of an event of one type. */
export const eventPayload = (type: EventType) =>
  z.object({
    type: z.literal(type),
    timestamp: Time.meta({ description: 'When it happened.' }),
    mode: z.enum(keyModes).meta({ description: 'Of the key that asked for what it tells of.' }),
    data: events[type].data,
  });

import { z } from 'zod';
import { eventPayload, events, EventType } from '../../domain/events.ts';

/** What differs in the body of an event from what its schema, and so `/docs`, says; a member that is not there named too. */
export function faultsOfEvent(body: string): readonly string[] {
  const event: unknown = JSON.parse(body);
  const type = EventType.safeParse(Reflect.get(Object(event), 'type'));
  if (!type.success) return [`no type of ours: ${body}`];
  const strict = eventPayload(type.data)
    .extend({ data: z.strictObject(events[type.data].data.shape) })
    .strict();
  const { error } = strict.safeParse(event);
  return (error?.issues ?? []).map(({ path, message }) => `${type.data} /${path.join('/')}: ${message}`);
}

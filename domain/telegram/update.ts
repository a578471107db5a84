import { z } from 'zod';

const OfChat = z.looseObject({ chat: z.looseObject({ id: z.int() }) });
const OfPerson = z.looseObject({ from: z.looseObject({ id: z.int() }) });

/**
 * The chat that an update is about, of whatever kind it is: a message, a membership, a button under a message. Without one it is
 * the person's, whose private chat has their id. Null where it names neither. Those of one chat keep their order.
 */
export function chatOfUpdate(update: unknown): number | null {
  if (typeof update !== 'object' || update === null) return null;
  for (const content of Object.values(update) as unknown[]) {
    const message: unknown =
      typeof content === 'object' && content !== null && 'message' in content ? content.message : null;
    const chat = OfChat.safeParse(content).data ?? OfChat.safeParse(message).data;
    if (chat) return chat.chat.id;
    const person = OfPerson.safeParse(content).data;
    if (person) return person.from.id;
  }
  return null;
}

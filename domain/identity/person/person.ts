import { z } from 'zod';

/**
 * A human, known once to the whole platform, made when a phone or a Telegram chat is first proven. No project holds this id: it
 * knows its own recipient instead, so that two projects can't compare what they know.
 */
export const PersonId = z.uuid().brand<'PersonId'>();
export type PersonId = z.infer<typeof PersonId>;

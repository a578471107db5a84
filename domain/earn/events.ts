import { z } from 'zod';
import type { EventDefinition } from '../shared/event.ts';
import { Locale } from '../shared/locale.ts';
import { Time } from '../shared/time.ts';

const recipient = z.uuid().nullable().meta({
  description: 'Your own recipient of the person; null where it was erased.',
});
const tiyin = (description: string) =>
  z.string().meta({ description: `${description} In tiyin.`, example: '500000' });

/** What was written stays with us: a callback is read by many. */
export const earnEvents = {
  'support.opened': {
    meaning:
      'A person waits for an answer of support: they asked, or replied to what was answered or closed.',
    data: z.object({
      id: z.uuid().meta({ description: 'The request: `GET /api/admin/support/{id}`.' }),
      recipient_id: recipient,
      locale: Locale,
      created_at: Time.meta({ description: 'When they asked first.' }),
      opened_at: Time.meta({ description: 'Since when it waits.' }),
    }),
  },
  'promo.redeemed': {
    meaning: 'A person redeemed a promo code, and has its amount.',
    data: z.object({
      id: z.uuid().meta({ description: 'The redemption.' }),
      promo: z.string().meta({ description: 'The promo code, in capitals.', example: 'WELCOME26' }),
      recipient_id: recipient,
      amount: tiyin('What it is worth.'),
      owed: tiyin('Of it, what paid a debt of theirs.'),
      redeemed_at: Time.meta({ description: 'When.' }),
    }),
  },
} as const satisfies Record<string, EventDefinition>;

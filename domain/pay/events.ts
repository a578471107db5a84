import { z } from 'zod';
import { EndReason, type EventDefinition, MaskedRecipient } from '../shared/event.ts';
import { Time } from '../shared/time.ts';
import { PayoutState } from './payout/payout.ts';

const tiyin = (description: string) =>
  z.string().meta({ description: `${description} In tiyin.`, example: '15000000' });

/** No card, no token, no whole phone: a callback is read by many. */
const payoutEnded = z.object({
  id: z.uuid().meta({ description: 'The payout: `GET /payouts/{id}`.' }),
  reference: z.string().meta({ description: 'Your own.' }),
  state: PayoutState,
  reason: EndReason,
  amount: tiyin('What was asked for.'),
  fee: tiyin('Of it, what we take.'),
  purpose: z.string().nullable().meta({ description: 'As you gave it.' }),
  to: MaskedRecipient,
  created_at: Time,
  ended_at: Time.meta({ description: 'When it came to this end.' }),
});

export const payEvents = {
  'payout.paid': { meaning: 'The rail has paid a payout that your key asked for.', data: payoutEnded },
  'payout.failed': {
    meaning: 'A payout could not be paid; `reason` says why. The money is yours again.',
    data: payoutEnded,
  },
  'payout.returned': {
    meaning: 'A payout came back after it was paid, weeks later perhaps. The money is yours again.',
    data: payoutEnded,
  },
  'payout.cancelled': {
    meaning: 'A payout was cancelled, or nobody bound a card in time. The money is yours again.',
    data: payoutEnded,
  },
} as const satisfies Record<string, EventDefinition>;

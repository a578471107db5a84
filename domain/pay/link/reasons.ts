import type { Reason } from '../../shared/reason.ts';

/** Why a link reaches nobody, and why it is not sent again. */
export const linkReasons = {
  'link-ended': {
    meaning:
      'The payout waits for no card any more, or a newer link takes the place of this one. Nothing was sent.',
    retry: 'no',
    nextStep: 'Nothing.',
    seen: ['job'],
  },
  'payee-unreachable': {
    meaning: 'The payee has no chat with the bot, and no provider here sends SMS to their phone.',
    retry: 'later',
    nextStep:
      'Have them write to the bot and share their contact: the link then comes by itself. Or staff set up a provider of SMS (docs/operations.md); it is tried again within a day.',
    seen: ['job'],
  },
  'link-sms-spent': {
    meaning: 'As many links of this project went by SMS today as may. This one was not sent.',
    retry: 'later',
    nextStep:
      'Nothing: it is tried a day later. Whoever writes to the bot and shares their contact has it at once. Finance can send it again tomorrow: POST /finance/payouts/{id}/link.',
    seen: ['job'],
  },
  'payee-phone-moved': {
    meaning:
      'Somebody else has proven the phone since the list was imported. They are sent no link to this money.',
    retry: 'no',
    nextStep: 'Ask the payee for their phone of today, and pay them by a new list.',
    seen: ['job'],
  },
  'link-not-sent': {
    meaning: 'Finance asked for a link to be sent again, which is not done now. Nothing was sent.',
    retry: 'later',
    nextStep: 'Read `detail`: it says why, and when to ask again.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
export type LinkReason = keyof typeof linkReasons;

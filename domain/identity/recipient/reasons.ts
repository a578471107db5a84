import type { Reason } from '../../shared/reason.ts';

export const recipientReasons = {
  'recipient-conflict': {
    meaning: 'The handle belongs to one recipient and the phone to another.',
    retry: 'after-change',
    nextStep:
      'Delete or change one of them first: an address is never moved to another handle automatically.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

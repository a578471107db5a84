import type { Reason } from '../../shared/reason.ts';

export const registrationReasons = {
  'already-verified': {
    meaning: 'This Telegram account is already verified.',
    retry: 'no',
    nextStep: 'Nothing: continue with the verified user.',
    seen: ['problem'],
  },
  'invalid-code': {
    meaning: 'The code is wrong or has expired.',
    retry: 'after-change',
    nextStep: 'The person types the newest code, or asks for another one (POST /register).',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

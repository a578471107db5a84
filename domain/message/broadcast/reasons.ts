import type { Reason } from '../../shared/reason.ts';

export const broadcastReasons = {
  'broadcast-cancelled': {
    meaning: 'The message was cancelled before it was sent to this recipient.',
    retry: 'no',
    nextStep: 'Nothing. Send a new message if one is wanted.',
    seen: ['job'],
  },
  'too-many-urgent': {
    meaning: 'The project has reached its limit of urgent messages per minute.',
    retry: 'later',
    nextStep: 'Send it with the priority normal, or send it again after Retry-After.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

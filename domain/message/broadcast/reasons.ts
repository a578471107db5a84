import type { Reason } from '../../shared/reason.ts';

export const broadcastReasons = {
  'already-finished': {
    meaning: 'It is finished already, so that nothing can be changed.',
    retry: 'no',
    nextStep: 'Nothing. Send a new message if one is wanted.',
    seen: ['problem'],
  },
  'broadcast-cancelled': {
    meaning: 'The message was cancelled before this recipient was reached.',
    retry: 'no',
    nextStep: 'Nothing. Send a new message if one is wanted.',
    seen: ['job'],
  },
  'too-many-urgent': {
    meaning: 'The project has sent as many urgent messages in the last minute as it may.',
    retry: 'later',
    nextStep: 'Send it with the priority normal, or again after Retry-After.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

import type { Reason } from '../../shared/reason.ts';

export const broadcastReasons = {
  'broadcast-cancelled': {
    meaning: 'The message was cancelled before it was sent to this recipient.',
    retry: 'no',
    nextStep: 'Nothing. Send a new message if one is wanted.',
    seen: ['job'],
  },
  'recipient-opted-out': {
    meaning: 'The person wants no messages of this project.',
    retry: 'after-change',
    nextStep: 'Respect it. The person takes it back on their preferences page; codes still reach them.',
    seen: ['job', 'attempt'],
  },
  'category-off': {
    meaning: 'The person switched this category of messages off.',
    retry: 'after-change',
    nextStep: 'Respect it. The person switches it on again on their preferences page.',
    seen: ['job', 'attempt'],
  },
  'recipient-gone': {
    meaning: 'The recipient was erased, or has another chat, since the message was accepted.',
    retry: 'after-change',
    nextStep: 'Nothing where they were erased. Else send it again: it goes to the chat they have now.',
    seen: ['job', 'attempt'],
  },
  'persons-own-wish': {
    meaning: 'The person has set this themselves, and only they take it back.',
    retry: 'after-change',
    nextStep: 'Send them their preferences_url, and leave out the field that the answer names.',
    seen: ['problem'],
  },
  'quiet-hours': {
    meaning: 'The person’s quiet hours would have ended after the message expired.',
    retry: 'after-change',
    nextStep: 'Give the message a later expires_at, so that it can wait for the morning.',
    seen: ['job'],
  },
  'too-many-urgent': {
    meaning: 'The project has reached its limit of urgent messages per minute.',
    retry: 'later',
    nextStep: 'Send it with the priority normal, or send it again after Retry-After.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

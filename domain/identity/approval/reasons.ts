import type { Reason } from '../../shared/reason.ts';

export const approvalReasons = {
  'signature-invalid': {
    meaning: 'The signature does not match this challenge, this answer and the key of this device.',
    retry: 'after-change',
    nextStep: 'Sign the documented text with the key of the device that is signed in.',
    seen: ['problem'],
  },
  'wrong-number': {
    meaning: 'The number is not the one that the requester shows. The challenge cannot be used again.',
    retry: 'no',
    nextStep: 'Ask for a new approval and type the number that is shown then.',
    seen: ['problem'],
  },
  'already-answered': {
    meaning: 'Already answered with another decision.',
    retry: 'no',
    nextStep: 'Nothing: the first answer counts.',
    seen: ['problem'],
  },
  closed: {
    meaning: 'The approval has expired, was cancelled, or a newer one took its place.',
    retry: 'no',
    nextStep: 'Ask for a new approval.',
    seen: ['problem'],
  },
  'device-too-young': {
    meaning: 'The device was bound too recently to approve money.',
    retry: 'later',
    nextStep: 'Approve with an older device, or wait until a day has passed since it was bound.',
    seen: ['problem'],
  },
  'approval-denied': {
    meaning: 'The person answered no.',
    retry: 'no',
    nextStep: 'Do not ask again unless the person wants it.',
    seen: ['problem'],
  },
  'approval-closed': {
    meaning: 'The approval was not given in time, or was used already.',
    retry: 'no',
    nextStep: 'Ask for a new approval (POST /auth/approval).',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

import type { Reason } from '../shared/reason.ts';

/** What a push service refuses for good. */
export const pushReasons = {
  'token-unregistered': {
    meaning: 'The push token is no longer valid: the app was removed or has a newer token.',
    retry: 'after-change',
    nextStep: 'The next time the app starts, store the new token with PUT /recipients.',
    seen: ['job', 'attempt'],
  },
  'token-of-another-app': {
    meaning: 'The push token belongs to an app of another Firebase project.',
    retry: 'after-change',
    nextStep: "Check that the app uses the Firebase project of this installation's service account.",
    setting: 'GOOGLE_APPLICATION_CREDENTIALS',
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<string, Reason>;

import type { Reason } from '../reason.ts';
import { ACTIVE_KEYS_MAX } from './key.ts';

export const projectReasons = {
  'too-many-keys': {
    meaning: `The project has ${ACTIVE_KEYS_MAX} active keys of this access and mode, the most there may be.`,
    retry: 'after-change',
    nextStep: 'Revoke one (DELETE /projects/{id}/keys/{key_id}), then make the new one.',
    seen: ['problem'],
  },
  'key-taken': {
    meaning: 'There is such a key already.',
    retry: 'later',
    nextStep: 'Send the request again: a new key is drawn.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

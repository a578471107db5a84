import type { Reason } from '../shared/reason.ts';
import { WHO_NAMES, WHO_RAISES } from './ceilings.ts';
import { ACTIVE_KEYS_MAX } from './key.ts';

export const projectReasons = {
  'above-ceiling': {
    meaning: 'A setting was asked for that is above the ceiling of the project.',
    retry: 'after-change',
    nextStep: `Ask for no more than \`ceilings\` of GET /projects/{id}. ${WHO_RAISES}`,
    seen: ['problem'],
  },
  'ceiling-reached': {
    meaning:
      'The project has as many rows as its ceiling grants: queued, kept, of test keys, or people. `ceiling` names which.',
    retry: 'later',
    nextStep: `Wait until jobs end or leave, or erase recipients that you need no more; GET /projects/{id} shows \`ceilings\` and \`rows\`. ${WHO_RAISES}`,
    seen: ['problem'],
  },
  'name-reserved': {
    meaning:
      "The name reads as Navbat's own or as another project's, in whatever letters it is written; or a word of it mixes alphabets (Latin, Cyrillic, Greek), or has letters of a fourth.",
    retry: 'after-change',
    nextStep: `Choose another name, each word in one alphabet. ${WHO_NAMES}`,
    seen: ['problem'],
  },
  'last-full-key': {
    meaning: 'No other active key of the project could do all that this one can, keys included.',
    retry: 'after-change',
    nextStep: 'Make its successor first (POST /projects/{id}/keys), or ask staff of Navbat to revoke it.',
    seen: ['problem'],
  },
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

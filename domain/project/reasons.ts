import type { Reason } from '../shared/reason.ts';
import { WHO_NAMES, WHO_RAISES } from './ceilings.ts';
import { ACTIVE_KEYS_MAX } from './key.ts';

export const projectReasons = {
  'above-ceiling': {
    meaning: 'The requested setting is above the ceiling of the project.',
    retry: 'after-change',
    nextStep: `Use a value up to \`ceilings\` in GET /projects/{id}. ${WHO_RAISES}`,
    seen: ['problem'],
  },
  'ceiling-reached': {
    meaning:
      'The project has reached a ceiling: queued jobs, kept jobs, jobs of test keys, or people. `ceiling` says which one.',
    retry: 'later',
    nextStep: `Wait until jobs end or are deleted, or erase recipients that you no longer need; GET /projects/{id} shows \`ceilings\` and \`rows\`. ${WHO_RAISES}`,
    seen: ['problem'],
  },
  'name-reserved': {
    meaning:
      'The name looks like the name of Navbat or of another project, possibly written with look-alike letters. Or one of its words mixes alphabets, or uses an alphabet other than Latin, Cyrillic or Greek.',
    retry: 'after-change',
    nextStep: `Choose another name, each word in one alphabet. ${WHO_NAMES}`,
    seen: ['problem'],
  },
  'last-full-key': {
    meaning: "This is the project's only active key with all its permissions, such as managing keys.",
    retry: 'after-change',
    nextStep:
      'First make a key with the same permissions (POST /projects/{id}/keys), or ask staff of Navbat to revoke this one.',
    seen: ['problem'],
  },
  'too-many-keys': {
    meaning: `The project has ${ACTIVE_KEYS_MAX} active keys of this access and mode, the maximum.`,
    retry: 'after-change',
    nextStep: 'Revoke one (DELETE /projects/{id}/keys/{key_id}), then make the new one.',
    seen: ['problem'],
  },
  'key-taken': {
    meaning: 'The generated key exists already.',
    retry: 'later',
    nextStep: 'Send the request again: another key is generated.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

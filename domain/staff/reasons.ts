import type { Reason } from '../shared/reason.ts';
import type { CommandRefusal } from './command.ts';

/** Why a command of staff is not carried out. */
const commands = {
  'unknown-job': {
    meaning: 'There is no such job.',
    retry: 'no',
    nextStep: 'Check the id; finished jobs are deleted after their retention (RETENTION_JOB_DAYS).',
    seen: ['problem'],
  },
  'kind-forbids': {
    meaning: 'Single jobs of this kind cannot be changed: only the whole queue can be paused and resumed.',
    retry: 'no',
    nextStep: 'Pause or resume the queue of the kind.',
    seen: ['problem'],
  },
  'not-retriable': {
    meaning: 'Only a job that was rejected, ran out of attempts or expired can be retried.',
    retry: 'no',
    nextStep: 'Nothing: a completed or cancelled job is not retried.',
    seen: ['problem'],
  },
  'subject-closed': {
    meaning: 'The job is no longer needed: its code expired or was used, or a newer send replaced it.',
    retry: 'no',
    nextStep: 'The person asks for a new code.',
    seen: ['problem'],
  },
} as const satisfies Record<Exclude<CommandRefusal, 'already-finished'>, Reason>;

export const staffReasons = {
  ...commands,
  'board-forbids': {
    meaning: 'Nobody may do this on the board.',
    retry: 'no',
    nextStep:
      'Queues can be paused and resumed, and jobs retried, promoted and removed. For many jobs at once use /ops/failures.',
    seen: ['problem'],
  },
  'role-forbids': {
    meaning: 'Your role may not do this.',
    retry: 'after-change',
    nextStep:
      'Ask somebody whose role may: docs/access.md lists them. A login keeps its role: for another one, staff make another login with `npm run navbat -- staff create`.',
    seen: ['problem'],
  },
  'redis-away': {
    meaning: 'Redis does not answer, so queues cannot be shown. No job is lost.',
    retry: 'later',
    nextStep: 'Use /ops: it reads the jobs from Postgres.',
    seen: ['problem'],
  },
  'login-refused': {
    meaning: 'The email or the password is wrong, or the account is locked.',
    retry: 'after-change',
    nextStep: 'Try again; after five wrong attempts the account is locked for 15 minutes.',
    seen: ['problem'],
  },
  'second-factor-refused': {
    meaning: 'The second factor is wrong, was used already, or is locked.',
    retry: 'after-change',
    nextStep: 'Type the code that the authenticator app shows now, or a recovery code.',
    seen: ['problem'],
  },
  'second-factor-exists': {
    meaning: 'The login has a second factor already.',
    retry: 'no',
    nextStep:
      'Send a code of it to `POST /staff/sessions/second-factor`. Who lost it: `npm run navbat -- staff reset-second-factor`.',
    seen: ['problem'],
  },
  'recovery-code-refused': {
    meaning: 'A recovery code logs in, and approves nothing.',
    retry: 'after-change',
    nextStep:
      'Send a code of the authenticator app, or use a passkey. Who lost the app: `npm run navbat -- staff reset-second-factor`.',
    seen: ['problem'],
  },
  'passkey-refused': {
    meaning: 'What the passkey answered is not accepted.',
    retry: 'after-change',
    nextStep:
      'Ask for options again and let the authenticator answer them once. Passkeys work at the origin of STAFF_ORIGIN alone.',
    seen: ['problem'],
  },
  'no-passkey': {
    meaning: 'You have no passkey.',
    retry: 'after-change',
    nextStep: 'Send a code of the authenticator app, or register a passkey: `POST /staff/passkeys`.',
    seen: ['problem'],
  },
  'passkey-taken': {
    meaning: 'This passkey is registered already.',
    retry: 'no',
    nextStep: 'Register another one.',
    seen: ['problem'],
  },
  'too-many-passkeys': {
    meaning: 'You have as many passkeys as one login may have.',
    retry: 'after-change',
    nextStep: 'Remove one that you no longer use: `POST /staff/passkeys/{id}/remove`.',
    seen: ['problem'],
  },
  'proof-stale': {
    meaning: 'The proof is older than five minutes.',
    retry: 'after-change',
    nextStep: 'Make a new one: `POST /staff/proofs`.',
    seen: ['problem'],
  },
  'proof-used': {
    meaning: 'The proof has approved something already.',
    retry: 'after-change',
    nextStep: 'Read whether it was done; to do it again, make a new proof.',
    seen: ['problem'],
  },
  'proof-other-subject': {
    meaning: 'The proof is of something else than what is asked, or of an earlier version of it.',
    retry: 'after-change',
    nextStep: 'Read it again, check what has changed, and make a new proof of what is there now.',
    seen: ['problem'],
  },
  'proof-unknown': {
    meaning: 'You have made no such proof.',
    retry: 'after-change',
    nextStep:
      'Make it with the session that uses it: `POST /staff/proofs`. Nobody can use the proof of another person.',
    seen: ['problem'],
  },
  'form-expired': {
    meaning: 'The form belongs to another session.',
    retry: 'after-change',
    nextStep: 'Load the page again.',
    seen: ['problem'],
  },
  'foreign-origin': {
    meaning: 'The request does not come from the board itself.',
    retry: 'no',
    nextStep:
      'Use the pages of the board. Behind a proxy, check that it forwards the headers Host and Origin.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

/** On the board's process, in place of those that are for customers of the api. */
export const staffNextSteps = {
  'invalid-request': 'Correct the fields in `errors`; /staff/docs shows each route with an example.',
  'not-found':
    'Check the URL and the id; /staff/docs lists the routes of programs, and /ops leads to all pages.',
  unauthenticated: 'Log in: POST /staff/sessions, or /login in a browser.',
  'body-too-large': 'Send less.',
  'limit-uncounted': 'Send it again after Retry-After. If it repeats, look at Redis.',
} as const;

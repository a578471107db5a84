import type { Reason } from '../shared/reason.ts';
import type { CommandRefusal } from './command.ts';

/** Why a command of staff is not carried out. */
const commands = {
  'unknown-job': {
    meaning: 'There is no such job.',
    retry: 'no',
    nextStep: 'Check the id; finished jobs are deleted after their retention (RETENTION_DAYS).',
    seen: ['problem'],
  },
  'kind-forbids': {
    meaning: 'Jobs of this kind can only be paused and resumed, all together.',
    retry: 'no',
    nextStep: 'Pause or resume the queue of the kind.',
    seen: ['problem'],
  },
  'not-retriable': {
    meaning: 'Only a job that was rejected, ran out of attempts or expired can be retried.',
    retry: 'no',
    nextStep: 'Nothing: a completed job is done, and a cancelled one was not wanted.',
    seen: ['problem'],
  },
  'subject-closed': {
    meaning: 'What the job is for has ended: its code expired or was used, or a newer send took its place.',
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
    nextStep: 'Queues take retry, promote, remove, pause and resume; many jobs at once: /ops/failures.',
    seen: ['problem'],
  },
  'role-forbids': {
    meaning: 'Your role may not do this.',
    retry: 'after-change',
    nextStep: 'Ask an admin, who changes roles with `npm run navbat -- staff`.',
    seen: ['problem'],
  },
  'redis-away': {
    meaning: 'Redis does not answer, so that queues cannot be shown. No job is lost.',
    retry: 'later',
    nextStep: 'Look at /ops: the record is in Postgres.',
    seen: ['problem'],
  },
  'login-refused': {
    meaning: 'The email or the password is wrong, or the account is locked.',
    retry: 'after-change',
    nextStep: 'Try again; after five wrong tries an account is locked for a quarter of an hour.',
    seen: ['problem'],
  },
  'second-factor-refused': {
    meaning: 'The second factor is wrong, was used already, or is locked.',
    retry: 'after-change',
    nextStep: 'Type the code that the authenticator app shows now, or a recovery code.',
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
    nextStep: 'Use the pages of the board. Behind a proxy, check that it passes Host and Origin on.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

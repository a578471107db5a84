import type { CommandRefusal } from '../../domain/staff/command.ts';

/** Exhaustive on purpose: a new refusal does not compile until it has a status and a sentence. */
export const refusalWords = {
  'unknown-job': { status: 404, sentence: 'There is no such job.' },
  'kind-forbids': { status: 403, sentence: 'Jobs of this kind can only be paused and resumed, all at once.' },
  'not-retriable': {
    status: 409,
    sentence: 'Only a job that was rejected, failed or expired can be tried again.',
  },
  'subject-closed': {
    status: 409,
    sentence:
      'Nobody waits for this job any more: its code has died, was used, or a newer send took its place.',
  },
  'already-finished': { status: 409, sentence: 'The job is finished already.' },
} as const satisfies Record<CommandRefusal, { status: number; sentence: string }>;

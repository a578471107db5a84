import { z } from 'zod';
import type { EntryLabels } from './job.ts';

/** What staff may do to one job, and to the queue of one kind. */
export const jobCommands = ['retry', 'promote', 'cancel'] as const;
export type JobCommand = (typeof jobCommands)[number];
export const queueCommands = ['pause', 'resume'] as const;
export type QueueCommand = (typeof queueCommands)[number];
export type StaffCommand = JobCommand | QueueCommand;

/** For a kind whose jobs need no approval. One that moves money takes pause and resume only: its items have an approval of their own. */
export const everyCommand: readonly StaffCommand[] = [...jobCommands, ...queueCommands];

/** How the scheduler gives the waiting jobs of a kind their queue entries. */
export interface SchedulerRules {
  /** Queue entries that wait or are at work at once; the others' jobs wait in Postgres, where a project's turn decides. */
  readonly inFlightMax: number;
  /** Where the provider sets a pace: no more entries than it takes in so many seconds, but `inFlightMin` at least. */
  readonly ahead?: { readonly seconds: number; readonly inFlightMin: number };
  /** Between two rounds while a backlog waits; default `BACKLOG_MS` of the scheduler. */
  readonly backlogMs?: number;
  /** Rounds at one time; default `ROUNDS_MAX` of the scheduler. */
  readonly roundsMax?: number;
  /** Triggers write its jobs. They may not lock a turn, so they ask for one, and each round gives it. */
  readonly turnsAreAsked?: boolean;
}

/** Labels of a queue entry beside its project's slug: texts that are safe on a board. */
export type LabelShape = Readonly<Record<string, z.ZodString>>;

/** One kind of job. Its row, queue, worker, scheduler, metrics, board and OpenAPI entry all derive from this value. */
export interface JobDefinition<
  Kind extends string = string,
  Payload extends z.ZodType = z.ZodType,
  Labels extends LabelShape = LabelShape,
> {
  /** Queue name and `job.kind` column. */
  readonly kind: Kind;
  /** What the row carries: ids, never texts or codes. A payload that no longer parses is recorded as rejected. */
  readonly payload: Payload;
  /** All that Redis and Bull Board show of a job: never a code, a text or a whole number. What is not named here is left out. */
  readonly labels: z.ZodObject<Labels>;
  /** Attempts over the whole life of the job, or since staff had it tried again; Postgres counts them. A snooze is none. */
  readonly attemptsMax: number;
  /** Pause before each further attempt after a failed one, jittered by up to a quarter. */
  readonly delaysMs: readonly number[];
  /** Attempts that may end unknown; 1 where a repeat would do harm. */
  readonly unknownMax: number;
  /** Longest one attempt may run before its signal aborts. */
  readonly attemptTimeoutMs: number;
  /** Jobs at work at once, in one worker process. */
  readonly concurrency: number;
  /** Null: its jobs wait for nobody, and the intake gives them their queue entries itself. */
  readonly scheduler: SchedulerRules | null;
  /**
   * What the deadline does. `expires`: the job ends as expired. `confirms`: it does so unless a provider has taken it, which
   * only a confirmation was awaited of: then it ends as completed, `unconfirmed`.
   */
  readonly deadline: 'expires' | 'confirms';
  readonly staff: readonly StaffCommand[];
  /** Providers whose time is told of nobody: it might take a moment longer where somebody is there. */
  readonly untimed?: readonly string[];
  /** Whether Redis keeps queue entries that have ended, for who looks at a board; default true. */
  readonly keepsEnded?: boolean;
}

/** A timer that is set for longer fires at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

const AtLeastOne = z.int().min(1);

/** What a definition's types leave open, and a worker would stumble over much later. */
const Workable = z.object({
  // BullMQ forbids ":", and statements name the kind without quoting it.
  kind: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be small letters, digits and hyphens, a letter first'),
  attemptsMax: AtLeastOne,
  delaysMs: z.array(z.number().min(0)),
  unknownMax: AtLeastOne,
  attemptTimeoutMs: AtLeastOne.max(TIMER_MAX_MS),
  concurrency: AtLeastOne,
  scheduler: z
    .object({
      inFlightMax: AtLeastOne,
      ahead: z.object({ seconds: z.number().positive(), inFlightMin: AtLeastOne }).optional(),
      backlogMs: z.number().positive().max(TIMER_MAX_MS).optional(),
      roundsMax: AtLeastOne.optional(),
    })
    .nullable(),
});

/** @throws at once where a worker could not work so: a mistake of the program, found when it starts. */
export function defineJob<
  const Kind extends string,
  Payload extends z.ZodType,
  const Labels extends LabelShape,
>(definition: JobDefinition<Kind, Payload, Labels>): JobDefinition<Kind, Payload, Labels> {
  const { error } = Workable.safeParse(definition);
  if (error) throw new Error(`job kind "${definition.kind}" can't work: ${z.prettifyError(error)}`);
  return Object.freeze(definition);
}

/** `firstMs`, and so many times the double of the one before. */
export const doublingMs = (firstMs: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => firstMs * 2 ** index);

/** The kinds of an installation: in production `domain/jobs.ts`; a test adds its own. */
export type JobRegistry = Readonly<Record<string, JobDefinition>>;

export const staffMay = (jobs: JobRegistry, kind: string, command: StaffCommand): boolean =>
  definitionOf(jobs, kind)?.staff.includes(command) ?? false;

/** Undefined for a kind that this version doesn't know: its rows outlive it. */
export const definitionOf = (jobs: JobRegistry, kind: string): JobDefinition | undefined =>
  Object.hasOwn(jobs, kind) ? jobs[kind] : undefined;

/** The labels of a row as its queue entry may show them; of a row that no longer fits, the project alone. */
export function safeLabels(definition: JobDefinition, labels: EntryLabels): EntryLabels {
  const safe = definition.labels.safeParse(labels);
  return { project: labels.project, ...safe.data };
}

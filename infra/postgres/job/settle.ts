import type pg from 'pg';
import { definitionOf, type JobRegistry } from '../../../domain/job/define-job.ts';
import type { ClosingAttempt } from '../../../domain/job/store.ts';

/**
 * A kind's own SQL in the engine's statements: what else closes with its job, and until when a retry makes sense. Each part may
 * be left out. It changes rows of its own context only.
 *
 * Rows are locked in the order that everybody keeps: subject (such as a verification), money, job, attempt; rows of one table by
 * their key. Inside one statement a CTE waits for the one before it by asking for its count: `(select count(*) from …) >= 0`.
 */
export interface Settle {
  /** Part of the statements that close attempts and end jobs. */
  readonly ending?: EndingSql;
  /** In place of `ending` where an attempt of the batch may have cost something. */
  readonly paid?: { readonly mayBePaid: (closing: ClosingAttempt) => boolean; readonly ending: EndingSql };
  /** Of `job`: until when its subject waits for it; null where it waits no more. Default: for ever. `now` is SQL. */
  readonly waitsUntil?: (now: string) => string;
  /** What staff's commands do to the subject of the job `$1` at the time `$2`. */
  readonly staff?: {
    /** Locks it, before the job is locked. */
    readonly lock: string;
    /** Closes it with a job that staff cancel, after `lock`. */
    readonly cancel: string;
  };
  /**
   * Closes up to `$3` subjects whose time was up at `$2`, at the time `$1`. Run at each round of the reconciler, after it has ended
   * the late jobs: it ends them without `ending`, since it waits for no lock that somebody holds.
   */
  readonly expire?: string;
  /** Frees those of its unfinished jobs that no turn would ever reach; answers how many. */
  readonly freeStuck?: (pool: pg.Pool, jobIds: readonly string[], now: Date) => Promise<number>;
}

/**
 * CTEs around the two that the engine writes. `w (job_id, state, …)` is the batch, for a close with `n`, `outcome`,
 * `cost_micros` and `finished`; `moved (id, state)` the jobs that were changed; `closed (job_id, n, excess)`, of a close only,
 * the attempts, with what each cost beyond its reservation. `$2` is the time.
 */
export interface EndingSql {
  /** Ends the name of the prepared statement: one for each text. */
  readonly name: string;
  /** Locks what `settled` changes, before the jobs. Each CTE with a comma behind it. */
  readonly held: string;
  /** The last CTE of `held`: the jobs wait for it. */
  readonly lastHeld: string;
  /** Further columns of the job `j`, with a comma before each. Of a close only. */
  readonly jobColumns?: string;
  /** Changes what was locked. Each CTE with a comma before it. */
  readonly settled: string;
}

/** By kind. A kind that is not named has none. */
export type Settles = Readonly<Record<string, Settle>>;

/** What the engine knows of the kinds of an installation. */
export interface Kinds {
  readonly jobs: JobRegistry;
  readonly settles: Settles;
}

/** SQL for the time until which the subject of `job` waits for it; null where it waits no more, and for an unknown kind. */
export const waitsUntil = ({ jobs, settles }: Kinds, now: string): string =>
  `(case job.kind ${Object.keys(jobs)
    .map((kind) => `when '${kind}' then ${settles[kind]?.waitsUntil?.(now) ?? `timestamptz 'infinity'`}`)
    .join(' ')} end)`;

/** Kinds whose jobs are completed, `unconfirmed`, where the deadline finds that a provider took them. */
export const kindsThatConfirm = (jobs: JobRegistry): readonly string[] =>
  Object.keys(jobs).filter((kind) => definitionOf(jobs, kind)?.deadline === 'confirms');

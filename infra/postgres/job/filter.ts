import { isFinal } from '../../../domain/job/job.ts';
import { type JobFilter, NO_REASON } from '../../../domain/staff/ops.ts';

/** Parameters of one statement, numbered as they are put in. */
export interface Parameters {
  readonly values: unknown[];
  /** Adds a value and returns its `$n`. */
  readonly put: (value: unknown) => string;
}

export function parameters(): Parameters {
  const values: unknown[] = [];
  return { values, put: (value) => `$${values.push(value)}` };
}

/**
 * The conditions of a filter over `job`. Time is read off the job's id, a UUIDv7, so that one scan
 * of the primary key serves the window, the order and the cursor.
 */
export function jobConditions(filter: JobFilter, { put }: Parameters): string {
  const clauses = ['true'];
  if (filter.kind) clauses.push(`job.kind = ${put(filter.kind)}`);
  if (filter.states) clauses.push(`job.state = any(${put(filter.states)})`);
  if (filter.states?.every((state) => !isFinal(state))) clauses.push('job.finished_at is null');
  if (filter.project)
    clauses.push(`job.project_id = (select id from project where slug = ${put(filter.project)})`);
  if (filter.address) clauses.push(`job.address_hash = decode(${put(filter.address)}, 'hex')`);
  if (filter.reason === NO_REASON) clauses.push('job.reason is null');
  else if (filter.reason) clauses.push(`job.reason = ${put(filter.reason)}`);
  if (filter.text)
    clauses.push(textCondition(put(`%${likeLiteral(filter.text)}%`), put(bareId(filter.text))));
  if (filter.since) clauses.push(`job.id >= ${put(idFloor(filter.since))}::uuid`);
  if (filter.until) clauses.push(`job.id < ${put(idFloor(filter.until))}::uuid`);
  return clauses.join(' and ');
}

/** Says what the partial index on unfinished rows needs to hear. */
/** As lists print the end of an id. */
const bareId = (text: string) => text.replace(/^…/, '').toLowerCase();

/** Part of a reason, or exactly a request id or the end of a job's id. */
const textCondition = (pattern: string, id: string) =>
  `(job.reason ilike ${pattern} or lower(job.request_id) = ${id} or right(job.id::text, 12) = ${id} or exists (
     select from attempt
      where attempt.job_id = job.id and (attempt.reason ilike ${pattern} or attempt.delivery_reason ilike ${pattern})))`;

/** What staff type is text, not a pattern. */
const likeLiteral = (text: string) => text.replaceAll(/[\\%_]/g, String.raw`\$&`);

/** The smallest UUIDv7 (RFC 9562) of this millisecond: 48 bits of Unix time come first. */
export function idFloor(at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

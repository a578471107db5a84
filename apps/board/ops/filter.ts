import { z } from 'zod';
import { isFinal, type JobState, jobStates } from '../../../domain/job/job.ts';
import { JobId } from '../../../domain/shared/ids.ts';
import { definitionOf } from '../../../domain/job/define-job.ts';
import { AddressHash, type JobFilter, type WindowHours, windowHours } from '../../../domain/staff/ops.ts';
import { findPhone } from '../../../domain/staff/phone-search.ts';
import { Problem } from '../../http/problem.ts';
import { optional, Text } from '../answer.ts';
import { type OpsParts, PAGE_LINES, PAGE_LINES_MAX } from './parts.ts';

const HOUR_MS = 3_600_000;

export const Hours = z.coerce
  .number()
  .refine((hours): hours is WindowHours => windowHours.some((known) => known === hours), {
    error: `expected one of ${windowHours.join(', ')}`,
  });

/** How staff narrow jobs down, in a query or in a form. */
export const FilterQuery = z.object({
  kind: optional(Text),
  state: optional(z.enum(jobStates)),
  project: optional(Text),
  /** A phone number, a recipient's id, or an address hash as links here carry it. */
  recipient: optional(Text),
  reason: optional(Text),
  text: optional(Text),
  hours: optional(Hours),
});
export type FilterQuery = z.infer<typeof FilterQuery>;

export const PageQuery = z.object({
  limit: z.preprocess(
    (value) => value || undefined,
    z.coerce.number().int().min(1).max(PAGE_LINES_MAX).default(PAGE_LINES),
  ),
  cursor: optional(z.string()),
});

export const sinceOf = (hours: number, now: Date): Date => new Date(now.getTime() - hours * HOUR_MS);

/** Without a window given: the last day, save where an index finds the few rows anyway. */
const HOURS_DEFAULT: WindowHours = 24;

export async function filterOf(query: FilterQuery, parts: OpsParts): Promise<JobFilter> {
  const address = query.recipient === undefined ? undefined : await addressFor(query.recipient, parts);
  const isNarrow = address !== undefined || (query.state !== undefined && !isFinal(query.state));
  const hours = query.hours ?? (isNarrow ? undefined : HOURS_DEFAULT);
  return {
    kind: kindFor(query.kind, parts),
    states: query.state === undefined ? undefined : [query.state],
    project: query.project,
    reason: query.reason,
    text: query.text,
    address,
    since: hours === undefined ? undefined : sinceOf(hours, parts.clock()),
  };
}

/** @throws Problem 400 where this installation has no such kind. */
export function kindFor(kind: string | undefined, { jobs }: OpsParts): string | undefined {
  if (kind === undefined || definitionOf(jobs, kind)) return kind;
  const detail = `expected one of ${Object.keys(jobs).join(', ')}`;
  throw new Problem(400, 'invalid-request', `The request does not fit: kind: ${detail}.`, {
    errors: [{ pointer: 'kind', detail }],
  });
}

/** @throws Problem 400 where it is neither a number nor an id that we know. */
export async function addressFor(recipient: string, { queries, addressOf }: OpsParts): Promise<AddressHash> {
  const hash = AddressHash.safeParse(recipient);
  if (hash.success) return hash.data;
  const phone = findPhone(recipient);
  if (phone) return addressOf(phone.e164);
  if (z.uuid().safeParse(recipient).success) {
    const found = await queries.find(recipient);
    if (found?.kind === 'recipient') return found.address;
  }
  throw new Problem(
    400,
    'invalid-request',
    'The recipient is neither a phone number nor a recipient id that we know.',
    {
      errors: [
        { pointer: 'recipient', detail: 'expected a phone number in international form or a recipient id' },
      ],
    },
  );
}

/** A link with these parameters; what is empty is left out. */
export function link(
  path: string,
  query: Readonly<Record<string, string | number | null | undefined>> & {
    readonly state?: JobState | undefined;
  },
): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}

/** Opaque, so that nobody builds on what is in it. */
export const cursorOf = (id: string): string => Buffer.from(id).toString('base64url');

/** @throws Problem 400 */
export function readCursor<Schema extends z.ZodType>(
  cursor: string | undefined,
  schema: Schema,
): z.infer<Schema> | null {
  if (cursor === undefined) return null;
  const parsed = schema.safeParse(Buffer.from(cursor, 'base64url').toString());
  if (!parsed.success) throw new Problem(400, 'invalid-request', 'The cursor is not one of ours.');
  return parsed.data;
}
export const JobCursor = JobId;

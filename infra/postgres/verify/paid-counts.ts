import type { PaidCount } from '../../../domain/verify/paid-limits.ts';
import type { PaidAsker } from '../../../domain/verify/asker.ts';

export interface PaidCountRow {
  readonly address_hash: Buffer;
  readonly project_id: string;
  readonly asked_by: PaidAsker;
  readonly messages: number;
}

/**
 * Paid messages to these numbers since a time, by project and asker: those that were sent or may have been, and, of sends that
 * wait (`$3`), the one that each may still need. By the index of a number's jobs.
 */
export const readPaidCounts = `
select j.address_hash, j.project_id, case when v.asked_known then 'known' else v.asked_by end asked_by, sum(greatest(coalesce(paid.messages, 0),
  case when $3 and j.finished_at is null and v.channels && '{sms,telegram-gateway}' and v.mode = 'live' then 1 else 0 end))::int messages
from job j join verification v on v.id = j.subject_id
left join lateral (
  select count(*)::int messages from attempt a
  where a.job_id = j.id and a.cost_micros is not null and a.opened_at > $2 and (a.outcome is null or a.outcome in ('completed', 'unknown'))
) paid on true
where j.address_hash = any($1) and j.kind = 'otp-send' and (j.accepted_at > $2 or j.finished_at is null or j.finished_at > $2)
group by 1, 2, 3`;

export const toPaidCount = ({
  project_id: projectId,
  asked_by: askedBy,
  messages,
}: PaidCountRow): PaidCount => ({
  projectId,
  askedBy,
  messages,
});

/** One more of this project and asker. */
export const withOneMore = (
  counts: readonly PaidCount[],
  { projectId, askedBy }: Omit<PaidCount, 'messages'>,
): readonly PaidCount[] => [...counts, { projectId, askedBy, messages: 1 }];

import type { Pool } from 'pg';
import { z } from 'zod';
import { attemptOutcomes } from '../../../domain/job/job.ts';
import type { UsageReader } from '../../../domain/project/usage.ts';

const UsageRow = z.object({
  day: z.string(),
  channel: z.string(),
  outcome: z.enum(attemptOutcomes),
  attempts: z.coerce.number(),
  cost_micros: z.coerce.bigint(),
});

// A provider that asked us to wait was not used: a snooze costs nothing, and is no message. Attempts are either rows of their own or, after retention, counted in `usage_day`, never both: one commit moves them.
const USAGE = `
select day::text, channel, outcome, sum(attempts)::bigint as attempts, sum(cost_micros)::bigint as cost_micros from (
  select day, channel, outcome, attempts, cost_micros from usage_day
  where project_id = $1 and day between $2::date and $3::date and outcome <> 'snoozed'
  union all
  select (opened_at at time zone 'UTC')::date, coalesce(channel, ''), outcome, count(*), coalesce(sum(cost_micros), 0)
  from attempt
  where project_id = $1 and outcome <> 'snoozed'
    and opened_at >= $2::date::timestamp at time zone 'UTC' and opened_at < ($3::date + 1)::timestamp at time zone 'UTC'
  group by 1, 2, 3
) as counted
group by 1, 2, 3 order by 1, 2, 3`;

export function usageReader(pool: Pool): UsageReader {
  return {
    async usage(projectId, { from, to }) {
      const { rows } = await pool.query(USAGE, [projectId, from, to]);
      return z
        .array(UsageRow)
        .parse(rows)
        .map(({ cost_micros: costMicros, ...line }) => ({ ...line, costMicros }));
    },
  };
}

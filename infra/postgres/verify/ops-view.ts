import type { Pool } from 'pg';
import { z } from 'zod';
import { lockedSince } from '../../../domain/verify/check.ts';
import { blockOf, riskFactors, type RiskScores } from '../../../domain/verify/fraud.ts';
import { isTrusted } from '../../../domain/verify/send-command.ts';
import type { AttemptReason } from '../../../domain/reasons.ts';
import { idFloor } from '../job/filter.ts';
import type { KeptBlock } from '../../../domain/shared/reason.ts';

/** What staff see of codes: verifications, blocked prefixes and locks. */
export const verifyOps = {
  verifications: async (pool: Pool, jobIds: readonly string[]) => {
    const { rows } = await pool.query(
      `select ${verificationColumns}
         from verification join project on project.id = verification.project_id
        where verification.id in (select subject_id from job where id = any($1))`,
      [jobIds],
    );
    return rows;
  },
  block: async (pool: Pool, jobId: string, now: Date): Promise<KeptBlock | null> => {
    const { rows } = await pool.query(
      `select v.client, s.sent, s.verified, s.at, case s.prefix when v.scored_ip then 'ip' when v.scored_device then 'device' else 'prefix' end factor
         from job j join verification v on v.id = j.subject_id
         join prefix_score s on s.prefix in (v.phone_prefix, v.scored_ip, v.scored_device) and s.project_id = v.project_id
        where j.id = $1 and j.reason in ('prefix-blocked', 'risk-blocked')`,
      [jobId],
    );
    const scores = ScoreOf.array().parse(rows);
    const byFactor = Object.fromEntries(scores.map(({ factor, ...score }) => [factor, score]));
    return blockOf({ ...unscored, ...byFactor }, isTrusted(rows[0]?.client), now);
  },
  accounts: async (pool: Pool, now: Date) => {
    const since = new Date(now.getTime() - ACCOUNT_MS);
    const { rows } = await pool.query(accounts, [idFloor(since), since, accountFaults]);
    return rows;
  },
  locks: async (pool: Pool, address: string, now: Date) => {
    const { rows } = await pool.query(
      `select slug as project, locked_at as "lockedAt", failed_checks as "failedChecks"
         from destination join project on project.id = project_id
        where address_hash = decode($1, 'hex') and locked_at > $2
        order by slug`,
      [address, lockedSince(now)],
    );
    return rows;
  },
};

/** 1 h: what went wrong before it has passed, or goes on. */
const ACCOUNT_MS = 3_600_000;
/** Refusals that are about us, and not about one number. */
const accountFaults: readonly AttemptReason[] = ['credentials', 'balance-empty', 'text-not-moderated'];
/** An account whose worker asks no more is left out after a day. */
const accounts = `
with lately as (
  select provider, reason, closed_at, outcome = 'completed' as worked,
    outcome in ('failed', 'unknown') or (outcome = 'rejected' and reason = any($3)) as faulted
  from attempt where job_id >= $1::uuid and opened_at >= $2 and channel = 'sms' and outcome is not null),
worked as (select provider, max(closed_at) as at from lately where worked group by provider),
faults as (
  select provider, (array_agg(reason order by closed_at desc))[1] as reason, max(closed_at) as at,
    min(closed_at) filter (where closed_at > coalesce((select at from worked where worked.provider = lately.provider), '-infinity')) as since
  from lately where faulted group by provider)
select provider, b.micros::text as "balanceMicros", b.currency, b.told_at as "toldAt", b.low_since as "lowSince",
  b.error as "balanceError", b.failing_since as "balanceFailingSince", f.reason as "lastError", f.at as "lastErrorAt", f.since as "failingSince"
from (select provider from lately union select provider from provider_balance where asked_at >= $2::timestamptz - interval '1 day') known
left join provider_balance b using (provider) left join faults f using (provider) order by provider`;

const verificationColumns = `verification.id, project.slug as project, purpose, mode, verification.state,
  checks_used as "checksUsed", checks_max as "checksMax", channels, verification.created_at as "createdAt",
  expires_at as "expiresAt", closed_at as "closedAt"`;

const ScoreOf = z.object({
  factor: z.enum(riskFactors),
  sent: z.number(),
  verified: z.number(),
  at: z.date(),
});
const unscored: RiskScores = { prefix: null, ip: null, device: null };

import type { Pool } from 'pg';
import { z } from 'zod';
import { lockedSince } from '../../../domain/verify/check.ts';
import { blockOf, riskFactors, type RiskScores } from '../../../domain/verify/fraud.ts';
import { isTrusted } from '../../../domain/verify/send-command.ts';
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

import type { Pool } from 'pg';
import { z } from 'zod';
import { lockedSince } from '../../../domain/verify/check.ts';
import { prefixBlockedUntil } from '../../../domain/verify/fraud.ts';

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
  prefixBlockedUntil: async (pool: Pool, jobId: string, now: Date) => {
    const { rows } = await pool.query(
      `select s.sent, s.verified, s.at from job j join verification v on v.id = j.subject_id
         join prefix_score s on s.prefix = v.phone_prefix and s.project_id = v.project_id
        where j.id = $1 and j.reason = 'prefix-blocked'`,
      [jobId],
    );
    const score = Score.optional().parse(rows[0]);
    return score ? prefixBlockedUntil(score, now) : null;
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

const Score = z.object({ sent: z.number(), verified: z.number(), at: z.date() });

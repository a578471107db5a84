import type pg from 'pg';
import type { PersonId } from '../../../domain/identity/person/port.ts';
import {
  APPROVAL_KEPT_SECONDS,
  type ApprovalStanding,
  type CodeProofs,
} from '../../../domain/identity/session/port.ts';
import { phoneProvingChannels } from '../../../domain/verify/channel.ts';
import { APPROVAL_PURPOSE } from '../../../domain/verify/strangers.ts';
import type { VerificationState } from '../../../domain/verify/verification.ts';
import type { KeyedHash } from '../../process/crypto.ts';
import { proofTokens } from '../../process/proof-token.ts';

/** What codes and approvals prove of somebody who signs in. */
export function codeProofs(pool: pg.Pool, hash: KeyedHash): CodeProofs {
  const pollTokens = proofTokens(hash, 'poll-token');
  return {
    wentToPhone: async (verificationId) => {
      const { rows } = await pool.query(sentElsewhere, [verificationId, phoneProvingChannels]);
      return rows.length === 0;
    },
    approvalOf: async ({ projectId, mode }, { verificationId, jobId }, now) => {
      const { rows } = await pool.query<ApprovalRow>(readApproval, [
        verificationId,
        projectId,
        mode,
        APPROVAL_PURPOSE,
        jobId,
      ]);
      return rows[0] ? standingOf(rows[0], now) : null;
    },
    pollTokenOf: (jobId) => pollTokens.of(jobId),
    readPollToken: (text) => pollTokens.read(text),
  };
}

/**
 * An attempt stands in its row before its message leaves, so that no code is ahead of what is known of it. A channel that sends
 * nothing has no attempt: the code of a device is right there, and says nothing of the phone.
 */
const sentElsewhere = `
select from verification v where v.id = $1 and not v.channels <@ $2
union all
select from job j join attempt a on a.job_id = j.id where j.subject_id = $1 and a.channel <> all($2) limit 1`;

interface ApprovalRow {
  readonly state: VerificationState;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
  readonly phone: string | null;
  readonly person_id: PersonId | null;
  /** A later send has a challenge, and a number, of its own. */
  readonly superseded: boolean;
}

/**
 * By a device alone: a code that was right, on another channel of the project, says nothing of a person. And of this send alone: who
 * asks for the same person meets the same verification, and the person who types a number says yes to whoever shows that one.
 */
const readApproval = `
select v.state, v.expires_at, v.closed_at, v.phone, a.person_id, v.job_id <> j.id superseded
from verification v join job j on j.id = $5 and j.subject_id = v.id
left join challenge c on c.job_id = j.id left join approval a on a.challenge_id = c.id and a.result = 'approved'
where v.id = $1 and v.project_id = $2 and v.mode = $3 and v.purpose = $4`;

function standingOf(row: ApprovalRow, now: Date): ApprovalStanding {
  const { state, expires_at: expiresAt, closed_at: at, phone, person_id: personId } = row;
  if (row.superseded) return { kind: 'closed' };
  if (state === 'live') return { kind: expiresAt > now ? 'pending' : 'closed' };
  if (state === 'denied') return { kind: 'denied', until: expiresAt };
  if (state !== 'approved' || personId === null || at === null) return { kind: 'closed' };
  const keptUntilMs = at.getTime() + APPROVAL_KEPT_SECONDS * 1_000;
  return keptUntilMs > now.getTime() ? { kind: 'approved', personId, phone, at } : { kind: 'closed' };
}

import { phoneProvingChannels } from '../../../../domain/verify/channel.ts';
import type pg from 'pg';
import { z } from 'zod';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { DevicePublicKey } from '../../../../domain/identity/device/public-key.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import {
  APPROVAL_KEPT_SECONDS,
  type ApprovalStanding,
  type SignInProofs,
} from '../../../../domain/identity/session/sign-in.ts';
import { APPROVAL_PURPOSE } from '../../../../domain/verify/strangers.ts';
import type { VerificationState } from '../../../../domain/verify/verification.ts';
import { keyModes } from '../../../../domain/project/key.ts';
import type { KeyedHash } from '../../../process/crypto.ts';
import { proofTokens } from '../../../verify/proof-token.ts';
import { verifySignature } from '../../../identity/device/signature.ts';
import { statementBytes } from '../../../identity/device/statement.ts';

/** What codes, approvals and devices prove of somebody who signs in. */
export function signInProofs(pool: pg.Pool, hash: KeyedHash): SignInProofs {
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
    findDevice: async (deviceId) => {
      const { rows } = await pool.query(findDevice, [deviceId]);
      return rows[0] ? DeviceRow.parse(rows[0]) : null;
    },
    isSignedBy: ({ id, publicKey }, { at, nonce, signature }) =>
      verifySignature(publicKey, statementBytes('navbat-sign-in-v1', { device: id, at, nonce }), signature),
    takeDeviceTime: async (deviceId, at, now) => {
      const { rowCount } = await pool.query(takeTime, [deviceId, at, now]);
      return rowCount === 1;
    },
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

const DeviceRow = z.object({
  id: DeviceId,
  personId: PersonId,
  mode: z.enum(keyModes),
  publicKey: DevicePublicKey,
});

const findDevice = `
select d.id, d.person_id "personId", p.mode, d.public_key "publicKey" from device d join person p on p.id = d.person_id
where d.id = $1 and d.kind = 'app' and d.bound_at is not null and d.revoked_at is null`;

const takeTime = `
update device set signed_in_at = $2, last_used_at = $3
where id = $1 and bound_at is not null and revoked_at is null and (signed_in_at is null or signed_in_at < $2)`;

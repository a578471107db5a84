import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { ENROLMENT_SECONDS, ENROLMENT_TOKEN_BYTES, EnrolmentToken } from '../../domain/device/enrolment.ts';
import type { Enrolments } from '../../domain/device/port.ts';
import { sha256 } from '../crypto.ts';

/** Tokens from which devices begin; only their hashes stand here, as 256 random bits need no slower one. */
export function enrolments(pool: pg.Pool): Enrolments {
  return {
    open: async (whose, now) => {
      const token = EnrolmentToken.parse(randomBytes(ENROLMENT_TOKEN_BYTES).toString('base64url'));
      const expiresAt = new Date(now.getTime() + ENROLMENT_SECONDS * 1_000);
      await pool.query(insertEnrolment, [
        sha256(token),
        'personId' in whose ? whose.personId : null,
        'recipientId' in whose ? whose.recipientId : null,
        now,
        expiresAt,
      ]);
      return { token, expiresAt };
    },
  };
}

const insertEnrolment = `
insert into enrolment (token_hash, person_id, recipient_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`;

import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import {
  ENROLMENT_SECONDS,
  ENROLMENT_TOKEN_BYTES,
  EnrolmentToken,
} from '../../../../domain/identity/device/enrolment.ts';
import type { Enrolments } from '../../../../domain/identity/device/port.ts';
import { sha256 } from '../../../process/crypto.ts';
import { inTransaction } from '../../engine/transaction.ts';

/** Tokens from which devices begin, one for each at a time; only their hashes stand here, as 256 random bits need no slower one. */
export function enrolments(pool: pg.Pool): Enrolments {
  return {
    open: async (whose, now) => {
      const token = EnrolmentToken.parse(randomBytes(ENROLMENT_TOKEN_BYTES).toString('base64url'));
      const expiresAt = new Date(now.getTime() + ENROLMENT_SECONDS * 1_000);
      const personId = 'personId' in whose ? whose.personId : null;
      const recipientId = 'recipientId' in whose ? whose.recipientId : null;
      await inTransaction(pool, async (tx) => {
        await tx.query(holdPerson, [personId]);
        await tx.query(holdRecipient, [recipientId]);
        await tx.query(dropEarlier, [personId, recipientId]);
        await tx.query(insertEnrolment, [sha256(token), personId, recipientId, now, expiresAt]);
      });
      return { token, expiresAt };
    },
  };
}

/** One after the other for whoever it is for: of two that are opened at once, one lives. */
const holdPerson = 'select from person where id = $1 for no key update';
const holdRecipient = 'select from recipient where id = $1 for no key update';

/** One QR code a person: who shows a new one has put the earlier away. */
const dropEarlier = `
delete from enrolment where (person_id = $1 or recipient_id = $2) and used_at is null`;

const insertEnrolment = `
insert into enrolment (token_hash, person_id, recipient_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`;

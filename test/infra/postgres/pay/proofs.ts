import { randomInt, randomUUID } from 'node:crypto';
import { canonicalBinds, type ProofBinds } from '../../../../domain/staff/proof.ts';
import type { Queryable } from '../../../../infra/postgres/engine/transaction.ts';

const HOUR_MS = 3_600_000;
/** Steps of no time: no two proofs of a test have one. */
const STEPS = 2 ** 40;

/** A second factor for exactly this, as a right code makes one. The member's authenticator is so many hours old from then on. */
export async function proofBy(
  db: Queryable,
  staffId: string,
  binds: ProofBinds,
  hours = 48,
): Promise<string> {
  const [id, factorAt, text] = [randomUUID(), new Date(Date.now() - hours * HOUR_MS), canonicalBinds(binds)];
  const { rows } = await db.query<{ at: Date | null }>('select totp_bound_at at from staff where id = $1', [
    staffId,
  ]);
  const isBound = rows[0]?.at != null && hours === 48;
  if (!isBound)
    await db.query(
      `update staff set totp_encrypted = 'x', totp_last_step = 0, totp_bound_at = $2 where id = $1`,
      [staffId, factorAt],
    );
  await db.query(
    `insert into staff_proof (id, staff_id, by, step, factor_at, binds, binds_hash)
     values ($1, $2, 'totp', $3, $4, $5, sha256(convert_to($5, 'UTF8')))`,
    [id, staffId, randomInt(STEPS), isBound ? rows[0]?.at : factorAt, text],
  );
  return id;
}

/** Of opening a rail that is stopped. */
export async function openingProof(db: Queryable, staffId: string, rail: string): Promise<string> {
  const { rows } = await db.query<{ version: number }>(
    'select floor(extract(epoch from stopped_at))::float8 as version from rail where id = $1',
    [rail],
  );
  return proofBy(db, staffId, { action: 'rail.open', subject: rail, version: rows[0]?.version ?? 0 });
}

/** Of what somebody says became of a payment, the newest of it; none where nobody says so. */
export async function askedHash(db: Queryable, subject: string): Promise<{ readonly hash?: string }> {
  const { rows } = await db.query<{ hash: string }>(
    `select payout_asked_hash(a) hash from payout_action a where a.subject = $1 and a.action like 'settle-%-asked'
     order by a.at desc, a.id desc limit 1`,
    [subject],
  );
  return rows[0] ?? {};
}

/** Of what became of a payment that is stuck, as somebody says. */
export async function settlingProof(db: Queryable, staffId: string, dispatch: string): Promise<string> {
  const { rows } = await db.query<{ version: number; total: string }>(
    'select version, amount::text total from payout_dispatch where id = $1',
    [dispatch],
  );
  const { version = 0, total = '1' } = rows[0] ?? {};
  const asked = await askedHash(db, dispatch);
  return proofBy(db, staffId, { action: 'money.correct', subject: dispatch, version, total, ...asked });
}

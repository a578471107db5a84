import { randomUUID } from 'node:crypto';
import { attestationHash, type SoftwarePasskey, softwarePasskey } from '../../../support/passkey.ts';
import { registrationBinds } from '../../../../domain/staff/passkey.ts';
import type { ProofBinds, ProofMade, ProofOutcome } from '../../../../domain/staff/proof.ts';
import type { PasskeyAssertion } from '../../../../domain/staff/webauthn.ts';
import { inTransaction } from '../../../../infra/postgres/engine/transaction.ts';
import { passkeyLogins } from '../../../../infra/postgres/staff/passkey-logins.ts';
import { staffPasskeys } from '../../../../infra/postgres/staff/passkeys.ts';
import { staffProofs } from '../../../../infra/postgres/staff/proofs.ts';
import { webAuthn } from '../../../../infra/staff/webauthn.ts';
import { later, now, openSecondFactors, type Person, STEP_MS } from './open-staff.ts';

export const ORIGIN = 'http://localhost:3001';

export const someBinds: ProofBinds = {
  action: 'board.read',
  subject: '0199f5d0-0000-7000-8000-000000000001',
  version: 3,
  hash: 'a'.repeat(64),
  count: 2,
  total: '41230000000',
};

/** What leaves a row in the audit, without it. */
function unaudited(parts: Parameters<typeof staffProofs>[0]) {
  const [proofs, passkeys, logins] = [staffProofs(parts), staffPasskeys(parts), passkeyLogins(parts)];
  type Made = Parameters<typeof proofs.make>;
  type Registered = Parameters<typeof passkeys.register>;
  return {
    proofs: {
      ...proofs,
      make: (who: Made[0], by: Made[1], binds: ProofBinds, at: Date) =>
        proofs.make(who, by, binds, at, () => []),
    },
    passkeys: {
      ...passkeys,
      register: (staffId: string, wish: Registered[1], at: Date) =>
        passkeys.register(staffId, wish, at, () => []),
      rename: (staffId: string, id: string, name: string) => passkeys.rename(staffId, id, name, () => []),
      remove: (staffId: string, id: string, proofId: string, at: Date) =>
        passkeys.remove(staffId, { id, proofId }, at, () => []),
    },
    logins: {
      ...logins,
      pass: (token: string, assertion: PasskeyAssertion, at: Date, browser: string | null = null) =>
        logins.pass(token, assertion, at, browser, () => []),
    },
  };
}

/** Staff with second factors, who prove and hold passkeys. */
export async function openProofs() {
  const opened = await openSecondFactors();
  const { ground, encryption } = opened;
  const parts = { em: ground.orm.em, pool: ground.pool, encryption, webAuthn: webAuthn(ORIGIN) };
  const { proofs, passkeys, logins } = unaudited(parts);

  const prove = async (person: Pick<Person, 'id' | 'app'>, binds: ProofBinds, at = now) =>
    madeOf(
      await proofs.make(
        { staffId: person.id, browser: null },
        { code: await person.app.codeAt(at) },
        binds,
        at,
      ),
    );
  /** In a transaction of its own. */
  const use = (proofId: string, staffId: string, binds: ProofBinds): Promise<ProofOutcome> =>
    inTransaction(ground.pool, (tx) => proofs.use(tx, { proofId, staffId, binds }));
  /** Registered by a proof of the person's authenticator app, at a step of its own. */
  const addPasskey = async (
    person: Person,
    key: SoftwarePasskey = softwarePasskey(ORIGIN),
    at = now,
  ): Promise<SoftwarePasskey & { readonly passkeyId: string }> => {
    const registration = key.register(await passkeys.registration({ ...person, role: 'operator' }, at));
    const binds = registrationBinds(person.id, attestationHash(registration));
    const proofId = (await prove(person, binds, at)).id;
    const made = await passkeys.register(person.id, { name: 'a key', registration, proofId }, at);
    if (!made.registered) throw new Error(made.reason);
    return { ...key, passkeyId: made.passkey.id };
  };
  /** Connections that wait for a lock. */
  const blocked = async (): Promise<number> => {
    const { rows } = await ground.pool.query<{ waiting: number }>(
      `select count(distinct l.pid)::int waiting from pg_locks l join pg_stat_activity a using (pid)
       where not l.granted and a.datname = current_database()`,
    );
    return rows[0]?.waiting ?? 0;
  };
  return { ...opened, blocked, proofs, passkeys, logins, prove, use, addPasskey };
}

export function madeOf(made: ProofMade) {
  if (!made.made) throw new Error(made.reason);
  return made.proof;
}

export const noProof = (reason: string) => ({ made: false, reason });
export const someId = () => randomUUID();
/** The next code's time. */
export const nextStep = later(STEP_MS);

import type { EntityManager } from '@mikro-orm/postgresql';
import type { PassedByPasskey, PasskeyLogins } from '../../../domain/staff/passkey.ts';
import type { PasskeyRefusal } from '../../../domain/staff/webauthn.ts';
import { type AssertionParts, checkAssertion, livePasskeys } from './assertions.ts';
import { auditedByOrm } from './audit.ts';
import { findBrowser } from './browsers.ts';
import { putChallenge } from './challenges.ts';
import { StaffSession } from './entities.ts';
import { forgiveTries } from './lock.ts';
import { completeSession, isPending, lockPending, rememberLogin } from './pending-session.ts';

/** `em` is forked for each call. */
export function passkeyLogins(parts: AssertionParts & { readonly em: EntityManager }): PasskeyLogins {
  const { em, pool, webAuthn } = parts;
  const staffOf = async (token: string, now: Date): Promise<string | null> =>
    (await em.fork().findOne(StaffSession, isPending(token, now)))?.staff.id ?? null;
  return {
    async options(token, now) {
      const staffId = await staffOf(token, now);
      const passkeys = staffId === null ? [] : await livePasskeys(pool, staffId);
      if (staffId === null || passkeys.length === 0) return null;
      return webAuthn.assertion(await putChallenge(pool, { staffId, purpose: 'login' }, now), passkeys);
    },

    async pass(token, assertion, now, browser, audits) {
      const staffId = await staffOf(token, now);
      const refuse = (reason: PasskeyRefusal | 'gone') =>
        auditedByOrm<PassedByPasskey>(em.fork(), { passed: false, reason }, audits);
      if (staffId === null) return refuse('gone');
      const asserted = await checkAssertion(parts, { staffId, assertion, binds: null }, now);
      if (!asserted.right) return refuse(asserted.reason);
      return em
        .fork()
        .transactional(async (tx) => auditedByOrm(tx, await complete(tx, { token, browser }, now), audits));
    },
  };
}

async function complete(
  tx: EntityManager,
  { token, browser }: { token: string; browser: string | null },
  now: Date,
): Promise<PassedByPasskey> {
  const pending = await lockPending(tx, token, now);
  if (!pending) return { passed: false, reason: 'gone' };
  const { session, staff } = pending;
  await forgiveTries(tx, staff.id, await findBrowser(tx, staff.id, browser, now));
  return {
    passed: true,
    browser: await rememberLogin(tx, session, browser, now),
    session: await completeSession(tx, session, now),
  };
}

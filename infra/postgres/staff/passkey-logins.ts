import type { EntityManager } from '@mikro-orm/postgresql';
import type { PassedByPasskey, PasskeyLogins } from '../../../domain/staff/passkey.ts';
import { type AssertionParts, checkAssertion, livePasskeys } from './assertions.ts';
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

    async pass(token, assertion, now, browser = null) {
      const staffId = await staffOf(token, now);
      if (staffId === null) return { passed: false, reason: 'gone' };
      const asserted = await checkAssertion(parts, { staffId, assertion, binds: null }, now);
      if (!asserted.right) return { passed: false, reason: asserted.reason };
      return em.fork().transactional(async (tx): Promise<PassedByPasskey> => {
        const pending = await lockPending(tx, token, now);
        if (!pending) return { passed: false, reason: 'gone' };
        await forgiveTries(tx, staffId, await findBrowser(tx, staffId, browser, now));
        return {
          passed: true,
          browser: await rememberLogin(tx, pending.session, browser, now),
          session: await completeSession(tx, pending.session, now),
        };
      });
    },
  };
}

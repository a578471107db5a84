import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { BROWSER_DAYS, BROWSERS_MAX } from '../../../domain/staff/browser.ts';
import { sha256 } from '../../process/crypto.ts';
import { Staff, StaffBrowser } from './entities.ts';

/** 256 bits, as of a session. */
const TOKEN_BYTES = 32;
const DAY_MS = 86_400_000;

const notBefore = (now: Date): Date => new Date(now.getTime() - BROWSER_DAYS * DAY_MS);

/** The browser whose cookie this is, where this very account logged in there before. */
export function findBrowser(
  em: EntityManager,
  staffId: string,
  token: string | null,
  now: Date,
): Promise<StaffBrowser | null> {
  if (token === null) return Promise.resolve(null);
  return em.findOne(StaffBrowser, {
    tokenHash: sha256(token),
    staff: staffId,
    usedAt: { $gt: notBefore(now) },
  });
}

/** After a whole login, in its transaction: what the browser's cookie is to hold from now on. */
export async function rememberBrowser(
  tx: EntityManager,
  staffId: string,
  token: string | null,
  now: Date,
): Promise<string> {
  if (token !== null && (await findBrowser(tx, staffId, token, now))) {
    await tx.nativeUpdate(StaffBrowser, { tokenHash: sha256(token) }, { usedAt: now });
    return token;
  }
  const fresh = randomBytes(TOKEN_BYTES).toString('base64url');
  await tx.insert(StaffBrowser, {
    tokenHash: sha256(fresh),
    staff: tx.getReference(Staff, staffId),
    failedLogins: 0,
    lockedUntil: null,
    secondFactorFailures: 0,
    usedAt: now,
  });
  const tooMany = await tx.find(
    StaffBrowser,
    { staff: staffId },
    { orderBy: { usedAt: 'desc' }, offset: BROWSERS_MAX, limit: BROWSERS_MAX },
  );
  await tx.nativeDelete(StaffBrowser, {
    staff: staffId,
    $or: [
      { usedAt: { $lte: notBefore(now) } },
      { tokenHash: { $in: tooMany.map(({ tokenHash }) => tokenHash) } },
    ],
  });
  return fresh;
}

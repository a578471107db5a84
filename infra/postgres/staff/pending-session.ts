import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { OpenedSession } from '../../../domain/staff/session.ts';
import { sha256 } from '../../process/crypto.ts';
import { Staff, StaffSession } from './entities.ts';
import { rememberBrowser } from './browsers.ts';
import { insertSession, SessionVia } from './sessions.ts';

export const isPending = (token: string, now: Date) =>
  ({ tokenHash: sha256(token), expiresAt: { $gt: now }, secondFactorAt: null }) as const;

export async function lockPending(
  tx: EntityManager,
  token: string,
  now: Date,
): Promise<{ readonly session: StaffSession; readonly staff: Staff } | null> {
  const session = await tx.findOne(StaffSession, isPending(token, now), {
    lockMode: LockMode.PESSIMISTIC_WRITE,
  });
  if (!session) return null;
  const staff = await tx.findOneOrFail(Staff, { id: session.staff.id });
  return staff.disabledAt ? null : { session, staff };
}

/** A program keeps no cookie: each of its logins would push a browser of its owner's out of the few that are remembered. */
export async function rememberLogin(
  tx: EntityManager,
  { staff, via }: StaffSession,
  browser: string | null,
  now: Date,
): Promise<string | null> {
  return via === 'cookie' ? rememberBrowser(tx, staff.id, browser, now) : null;
}

/** Another session with another token in its place: who planted the pending one's, or saw it, holds nothing. */
export async function completeSession(
  tx: EntityManager,
  pending: StaffSession,
  now: Date,
): Promise<OpenedSession> {
  await tx.nativeDelete(StaffSession, { tokenHash: pending.tokenHash });
  const { staff, via } = pending;
  return insertSession(tx, { staffId: staff.id, via: SessionVia.parse(via), extent: 'full' }, now);
}

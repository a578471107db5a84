import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { StaffMember } from '../../../domain/staff/port.ts';
import {
  PENDING_SESSION_MINUTES,
  type OpenedSession,
  SESSION_HOURS,
  type StaffSessions,
} from '../../../domain/staff/session.ts';
import { StaffRole } from '../../../domain/staff/role.ts';
import { sha256 } from '../../process/crypto.ts';
import { Staff, StaffSession } from './entities.ts';

/** 256 bits: nothing to guess, and nothing to look up in a dump that holds their SHA-256 only. */
const TOKEN_BYTES = 32;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** `em` is forked for each call. */
export function staffSessions(em: EntityManager): StaffSessions {
  return {
    async open(staffId, now) {
      const fork = em.fork();
      await fork.nativeDelete(StaffSession, { expiresAt: { $lte: now } });
      return insertSession(fork, staffId, 'pending-2fa', now);
    },

    find: (token, now) => findSession(em.fork(), token, { secondFactorAt: { $ne: null } }, now),

    findPending: (token, now) => findSession(em.fork(), token, { secondFactorAt: null }, now),

    async close(token) {
      await em.fork().nativeDelete(StaffSession, { tokenHash: sha256(token) });
    },
  };
}

/** In the caller's transaction, where there is one. */
export async function insertSession(
  em: EntityManager,
  staffId: string,
  extent: 'pending-2fa' | 'full',
  now: Date,
): Promise<OpenedSession> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const lifeMs = extent === 'full' ? SESSION_HOURS * HOUR_MS : PENDING_SESSION_MINUTES * MINUTE_MS;
  const expiresAt = new Date(now.getTime() + lifeMs);
  await em.insert(StaffSession, {
    tokenHash: sha256(token),
    staff: em.getReference(Staff, staffId),
    createdAt: now,
    expiresAt,
    secondFactorAt: extent === 'full' ? now : null,
    totpOfferEncrypted: null,
  });
  return { token, expiresAt };
}

async function findSession(
  em: EntityManager,
  token: string,
  extent: { readonly secondFactorAt: null | { readonly $ne: null } },
  now: Date,
): Promise<StaffMember | null> {
  const found = await em.findOne(
    StaffSession,
    { tokenHash: sha256(token), expiresAt: { $gt: now }, staff: { disabledAt: null }, ...extent },
    { populate: ['staff'] },
  );
  if (!found) return null;
  const { id, email, role } = found.staff;
  return { id, email, role: StaffRole.parse(role) };
}

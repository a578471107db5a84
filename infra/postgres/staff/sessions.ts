import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { pageOf } from '../../../domain/shared/page.ts';
import {
  type FoundSession,
  PENDING_SESSION_MINUTES,
  type OpenedSession,
  SESSION_HOURS,
  type SessionExtent,
  type StaffSessions,
  type StaffSessionView,
  sessionVias,
} from '../../../domain/staff/session.ts';
import { StaffRole } from '../../../domain/staff/role.ts';
import { sha256 } from '../../process/crypto.ts';
import { auditedByOrm } from './audit.ts';
import { Staff, StaffSession } from './entities.ts';

/** 256 bits: nothing to guess, and nothing to look up in a dump that holds their SHA-256 only. */
const TOKEN_BYTES = 32;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export const SessionVia = z.enum(sessionVias);

/** A scanner of leaked secrets, and our own log, know a program's token by its beginning. */
const prefixOf = { cookie: '', bearer: 'nbs_' } as const;

/** `em` is forked for each call. */
export function staffSessions(em: EntityManager): StaffSessions {
  return {
    async open(staffId, via, now) {
      const fork = em.fork();
      await fork.nativeDelete(StaffSession, { expiresAt: { $lte: now } });
      return insertSession(fork, { staffId, via, extent: 'pending-2fa' }, now);
    },

    find: (token, via, now) => findSession(em.fork(), { token, via, secondFactorAt: { $ne: null } }, now),

    findPending: (token, via, now) => findSession(em.fork(), { token, via, secondFactorAt: null }, now),

    close: (token, audits) =>
      em.fork().transactional(async (tx) => {
        await tx.nativeDelete(StaffSession, { tokenHash: sha256(token) });
        return auditedByOrm(tx, undefined, audits);
      }),

    async list(staffId, { limit, after }, now) {
      const before = after === null ? {} : { id: { $lt: after } };
      const rows = await em
        .fork()
        .find(
          StaffSession,
          { staff: staffId, expiresAt: { $gt: now }, ...before },
          { orderBy: { id: 'desc' }, limit: limit + 1 },
        );
      return pageOf(rows.map(viewOf), limit);
    },

    closeById: (staffId, id, audits) =>
      em.fork().transactional(async (tx) => {
        const closed = await tx.nativeDelete(StaffSession, { staff: staffId, id });
        return auditedByOrm(tx, closed > 0, audits);
      }),
  };
}

interface NewSession {
  readonly staffId: string;
  readonly via: z.infer<typeof SessionVia>;
  readonly extent: SessionExtent;
}

/** In the caller's transaction, where there is one. */
export async function insertSession(
  em: EntityManager,
  { staffId, via, extent }: NewSession,
  now: Date,
): Promise<OpenedSession> {
  const token = prefixOf[via] + randomBytes(TOKEN_BYTES).toString('base64url');
  const lifeMs = extent === 'full' ? SESSION_HOURS * HOUR_MS : PENDING_SESSION_MINUTES * MINUTE_MS;
  const expiresAt = new Date(now.getTime() + lifeMs);
  await em.insert(StaffSession, {
    tokenHash: sha256(token),
    id: uuidv7({ msecs: now.getTime() }),
    via,
    staff: em.getReference(Staff, staffId),
    createdAt: now,
    expiresAt,
    secondFactorAt: extent === 'full' ? now : null,
    totpOfferEncrypted: null,
  });
  return { token, expiresAt };
}

interface Wanted {
  readonly token: string;
  readonly via: z.infer<typeof SessionVia>;
  readonly secondFactorAt: null | { readonly $ne: null };
}

async function findSession(
  em: EntityManager,
  { token, via, secondFactorAt }: Wanted,
  now: Date,
): Promise<FoundSession | null> {
  const found = await em.findOne(
    StaffSession,
    { tokenHash: sha256(token), via, expiresAt: { $gt: now }, staff: { disabledAt: null }, secondFactorAt },
    { populate: ['staff'] },
  );
  if (!found) return null;
  const { id, email, role } = found.staff;
  return { id: found.id, staff: { id, email, role: StaffRole.parse(role) } };
}

const viewOf = ({ id, via, secondFactorAt, createdAt, expiresAt }: StaffSession): StaffSessionView => ({
  id,
  via: SessionVia.parse(via),
  extent: secondFactorAt ? 'full' : 'pending-2fa',
  createdAt,
  expiresAt,
});

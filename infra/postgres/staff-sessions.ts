import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { SESSION_HOURS, type StaffSessions } from '../../domain/staff/session.ts';
import { StaffRole } from '../../domain/staff/role.ts';
import { sha256 } from '../crypto.ts';
import { Staff, StaffSession } from './entities.ts';

/** 256 bits: nothing to guess, and nothing to look up in a dump that holds their SHA-256 only. */
const TOKEN_BYTES = 32;
const HOUR_MS = 3_600_000;

/** `em` is forked for each call. */
export function staffSessions(em: EntityManager): StaffSessions {
  return {
    async open(staffId, now) {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const expiresAt = new Date(now.getTime() + SESSION_HOURS * HOUR_MS);
      const fork = em.fork();
      await fork.nativeDelete(StaffSession, { expiresAt: { $lte: now } });
      fork.create(StaffSession, {
        tokenHash: sha256(token),
        staff: fork.getReference(Staff, staffId),
        createdAt: now,
        expiresAt,
      });
      await fork.flush();
      return { token, expiresAt };
    },

    async find(token, now) {
      const found = await em
        .fork()
        .findOne(
          StaffSession,
          { tokenHash: sha256(token), expiresAt: { $gt: now }, staff: { disabledAt: null } },
          { populate: ['staff'] },
        );
      if (!found) return null;
      const { id, email, role } = found.staff;
      return { id, email, role: StaffRole.parse(role) };
    },

    async close(token) {
      await em.fork().nativeDelete(StaffSession, { tokenHash: sha256(token) });
    },
  };
}

import { hash, verify } from '@node-rs/argon2';
import { raw, type RawQueryFragment, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type {
  Login,
  StaffAccounts,
  StaffCreated,
  StaffListing,
  StaffMember,
} from '../../domain/staff/port.ts';
import { StaffRole } from '../../domain/staff/role.ts';
import { Staff, StaffSession } from './entities.ts';

// Argon2id with 19 MiB, 2 passes and 1 lane: OWASP's first choice, about 20 ms here, and what a guesser must pay too.
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Wrong passwords in a row before the account is locked: the fifth may still be the right one. */
export const FAILED_LOGINS_MAX = 5;
/** Long enough that guessing takes years, short enough that its owner need call nobody. */
export const LOCK_MINUTES = 15;

const MINUTE_MS = 60_000;

/** `em` is forked for each call. */
export function staffAccounts(em: EntityManager): StaffAccounts {
  // Verified where an email has no account, so that its answer takes as long as a wrong password's.
  const nobodysHash = hash('a password that nobody has', ARGON2);

  return {
    createStaff: (account, now) => createStaff(em.fork(), account, now),

    async verifyPassword(email, password, now) {
      const counted = await countLogin(em.fork(), normalEmail(email), now);
      const matches = await verify(counted?.passwordHash ?? (await nobodysHash), password);
      return counted ? settleLogin(em.fork(), counted, matches) : { login: 'refused', reason: 'wrong' };
    },

    async list() {
      const rows = await em.fork().find(Staff, {}, { orderBy: { email: 'asc' } });
      return rows.map(listing);
    },

    disable: (email, now) =>
      em.fork().transactional(async (tx) => {
        const row = await tx.findOne(Staff, { email: normalEmail(email) });
        if (!row) return false;
        row.disabledAt ??= now;
        await tx.nativeDelete(StaffSession, { staff: row.id });
        return true;
      }),
  };
}

async function createStaff(
  em: EntityManager,
  { email, role, password }: { email: string; role: StaffRole; password: string },
  now: Date,
): Promise<StaffCreated> {
  const row = em.create(Staff, {
    id: uuidv7(),
    email: normalEmail(email),
    role,
    passwordHash: await hash(password, ARGON2),
    failedLogins: 0,
    lockedUntil: null,
    disabledAt: null,
    createdAt: now,
  });
  try {
    await em.persist(row).flush();
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return { created: false, reason: 'email-taken' };
    throw error;
  }
  return { created: true, staff: member(row) };
}

interface CountedLogin {
  readonly member: StaffMember;
  readonly passwordHash: string;
  readonly barred: 'locked' | 'disabled' | null;
}

/**
 * Counts the try as failed before the password is looked at, in one UPDATE, so that a hundred guesses sent at once
 * count as a hundred. A lock that has passed starts the count afresh.
 */
async function countLogin(em: EntityManager, email: string, now: Date): Promise<CountedLogin | null> {
  const count = `case when locked_until <= ? then 1 else failed_logins + 1 end`;
  const lockedUntil = new Date(now.getTime() + LOCK_MINUTES * MINUTE_MS);
  const open = { email, disabledAt: null, $or: [{ lockedUntil: null }, { lockedUntil: { $lte: now } }] };
  const counted = await em.nativeUpdate(Staff, open, {
    failedLogins: raw<RawQueryFragment>(count, [now]),
    lockedUntil: raw<RawQueryFragment>(`case when ${count} >= ? then ?::timestamptz end`, [
      now,
      FAILED_LOGINS_MAX,
      lockedUntil,
    ]),
  });
  const row = await em.findOne(Staff, { email });
  if (!row) return null;
  const barred = counted > 0 ? null : row.disabledAt ? 'disabled' : 'locked';
  return { member: member(row), passwordHash: row.passwordHash, barred };
}

/** The right password forgives the tries before it. */
async function settleLogin(em: EntityManager, counted: CountedLogin, matches: boolean): Promise<Login> {
  if (counted.barred) return { login: 'refused', reason: counted.barred };
  if (!matches) return { login: 'refused', reason: 'wrong' };
  await em.nativeUpdate(Staff, { id: counted.member.id }, { failedLogins: 0, lockedUntil: null });
  return { login: 'accepted', staff: counted.member };
}

const normalEmail = (email: string): string => email.trim().toLowerCase();
const member = (row: Staff): StaffMember => ({
  id: row.id,
  email: row.email,
  role: StaffRole.parse(row.role),
});
const listing = (row: Staff): StaffListing => ({
  ...member(row),
  createdAt: row.createdAt,
  lockedUntil: row.lockedUntil ?? null,
  disabledAt: row.disabledAt ?? null,
});

import { hash, verify } from '@node-rs/argon2';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type {
  Login,
  StaffAccounts,
  StaffCreated,
  StaffListing,
  StaffMember,
} from '../../../domain/staff/port.ts';
import { StaffRole } from '../../../domain/staff/role.ts';
import { Staff, StaffBrowser, StaffRecoveryCode, StaffSession } from './entities.ts';
import { countTry, type CountedTry, forgiveAll, takeBackTry } from './lock.ts';

// Argon2id with 19 MiB, 2 passes, parallelism 1: OWASP's first choice, about 20 ms here, and what a guesser must pay too.
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** No login has this id. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** `em` is forked for each call. */
export function staffAccounts(em: EntityManager): StaffAccounts {
  // Verified where an email has no account, so that its answer takes as long as a wrong password's.
  const nobodysHash = hash('a password that nobody has', ARGON2);

  return {
    createStaff: (account, now) => createStaff(em.fork(), account, now),

    verifyPassword: async (email, password, now, browser = null) =>
      verifyPassword(em, await nobodysHash, { email, password, browser }, now),

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

    resetSecondFactor: (email) => resetSecondFactor(em, email),

    unlock: (email) =>
      em.fork().transactional(async (tx) => {
        const row = await tx.findOne(Staff, { email: normalEmail(email) });
        if (!row) return false;
        await forgiveAll(tx, row.id);
        return true;
      }),
  };
}

async function verifyPassword(
  em: EntityManager,
  nobodysHash: string,
  { email, password, browser }: { email: string; password: string; browser: string | null },
  now: Date,
): Promise<Login> {
  const known = await em.fork().findOne(Staff, { email: normalEmail(email) });
  const trying = { who: { id: known?.id ?? NOBODY }, kind: 'password', browser } as const;
  // Counted while Argon2 works, which takes longer, and by the same statements where nobody has the email.
  const [counted, matches] = await Promise.all([
    countTry(em.fork(), trying, now),
    verify(known?.passwordHash ?? nobodysHash, password),
  ]);
  return counted ? settleLogin(em.fork(), counted, matches) : { kind: 'refused', reason: 'wrong' };
}

function resetSecondFactor(em: EntityManager, email: string): Promise<boolean> {
  return em.fork().transactional(async (tx) => {
    const row = await tx.findOne(Staff, { email: normalEmail(email) });
    if (!row) return false;
    // The sessions first, in the order in which a second factor locks its rows.
    await tx.nativeDelete(StaffSession, { staff: row.id });
    await tx.nativeUpdate(Staff, { id: row.id }, noSecondFactor);
    await tx.nativeDelete(StaffRecoveryCode, { staff: row.id });
    // A lost phone may have been lost with more.
    await tx.nativeDelete(StaffBrowser, { staff: row.id });
    await tx.execute(removePasskeys, [row.id]);
    await tx.execute('delete from staff_challenge where staff_id = ?', [row.id]);
    return true;
  });
}

const removePasskeys =
  'update staff_passkey set removed_at = navbat_now() where staff_id = ? and removed_at is null';

const noSecondFactor = {
  totpEncrypted: null,
  totpLastStep: null,
  totpBoundAt: null,
  secondFactorFailures: 0,
} as const;

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
    ...noSecondFactor,
  });
  try {
    await em.persist(row).flush();
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return { created: false, reason: 'email-taken' };
    throw error;
  }
  return { created: true, staff: member(row) };
}

async function settleLogin(em: EntityManager, counted: CountedTry, matches: boolean): Promise<Login> {
  if (counted.barred) return { kind: 'refused', reason: counted.barred };
  if (!matches) return { kind: 'refused', reason: 'wrong' };
  await takeBackTry(em, counted);
  return { kind: 'accepted', staff: member(counted.staff) };
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
  secondFactorAt: row.totpBoundAt ?? null,
  disabledAt: row.disabledAt ?? null,
});

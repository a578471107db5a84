import { randomBytes } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Audits } from '../../../domain/staff/audit.ts';
import { base32 } from '../../../domain/shared/otpauth.ts';
import { TOTP_SECRET_BYTES } from '../../../domain/shared/totp.ts';
import {
  type CodesRenewed,
  type FactorRefusal,
  type GivenFactor,
  type Passed,
  readFactor,
  RECOVERY_CODE_BYTES,
  RECOVERY_CODES,
  type SecondFactors,
  type SetUp,
  type Shown,
  showRecoveryCode,
} from '../../../domain/staff/second-factor.ts';
import type { Encryption, KeyedHash } from '../../process/crypto.ts';
import { auditedByOrm } from './audit.ts';
import { countedFactor } from './counted-factor.ts';
import { Staff, type StaffBrowser, StaffRecoveryCode, StaffSession } from './entities.ts';
import { forgiveTries } from './lock.ts';
import { completeSession, isPending, lockPending, rememberLogin } from './pending-session.ts';
import { openSecret, stepOf } from './totp-secret.ts';

interface Parts {
  readonly em: EntityManager;
  readonly encryption: Encryption;
  readonly hash: KeyedHash;
}

/**
 * `em` is forked for each call. What changes something locks the session's row first and the account's after it: of
 * requests that are sent at once, one is served and the others find what it left.
 */
export function staffSecondFactors(
  em: EntityManager,
  encryption: Encryption,
  hash: KeyedHash,
): SecondFactors {
  const parts = { em, encryption, hash };
  return {
    async stateOf(staffId) {
      const fork = em.fork();
      const { totpBoundAt } = await fork.findOneOrFail(Staff, { id: staffId });
      if (!totpBoundAt) return null;
      return { boundAt: totpBoundAt, recoveryCodesLeft: await codesLeft(fork, staffId) };
    },
    offer: (token, now) => offer(parts, token, now),
    setUp: (token, shown, now, audits) =>
      em
        .fork()
        .transactional(async (tx) => auditedByOrm(tx, await setUp(tx, parts, token, shown, now), audits)),
    pass: (token, shown, now, audits) => pass(parts, token, shown, now, audits),
    renewRecoveryCodes: (staffId, shown, now, audits) =>
      renewRecoveryCodes(parts, staffId, shown, now, audits),
  };
}

function offer({ em, encryption }: Parts, token: string, now: Date): Promise<Uint8Array | null> {
  return em.fork().transactional(async (tx) => {
    const pending = await lockPending(tx, token, now);
    if (!pending || pending.staff.totpBoundAt) return null;
    const { session, staff } = pending;
    const kept = session.totpOfferEncrypted;
    if (kept) return openSecret(encryption, kept, staff.id);
    const secret = randomBytes(TOTP_SECRET_BYTES);
    session.totpOfferEncrypted = encryption.encrypt(secret.toString('base64url'), staff.id);
    return secret;
  });
}

/** Wrong codes are not counted: whoever sets it up sees the secret, so that there is nothing to guess. */
async function setUp(
  tx: EntityManager,
  { encryption, hash }: Parts,
  token: string,
  { code, browser }: Shown,
  now: Date,
): Promise<SetUp> {
  const pending = await lockPending(tx, token, now);
  if (!pending) return { passed: false, reason: 'gone' };
  const { session, staff } = pending;
  const given = readFactor(code);
  const encrypted = session.totpOfferEncrypted;
  if (staff.totpBoundAt) return { passed: false, reason: 'already' };
  if (!given) return { passed: false, reason: 'malformed' };
  if (!encrypted || given.by !== 'totp') return { passed: false, reason: 'wrong' };

  const step = stepOf(openSecret(encryption, encrypted, staff.id), given.code, now);
  if (step === null) return { passed: false, reason: 'wrong' };
  const bound = await tx.nativeUpdate(
    Staff,
    { id: staff.id, totpBoundAt: null },
    { totpEncrypted: encrypted, totpLastStep: step, totpBoundAt: now },
  );
  if (bound === 0) return { passed: false, reason: 'already' };
  await forgiveTries(tx, staff.id, null);
  const recoveryCodes = await putRecoveryCodes(tx, hash, staff.id);
  const remembered = await rememberLogin(tx, session, browser, now);
  return {
    passed: true,
    recoveryCodes,
    browser: remembered,
    session: await completeSession(tx, session, now),
  };
}

async function pass(
  parts: Parts,
  token: string,
  shown: Shown,
  now: Date,
  audits: Audits<Passed>,
): Promise<Passed> {
  const { em } = parts;
  const refuse = (reason: FactorRefusal | 'gone') =>
    auditedByOrm<Passed>(em.fork(), { passed: false, reason }, audits);
  const session = await em.fork().findOne(StaffSession, isPending(token, now));
  const staffId = session?.staff.id;
  if (staffId === undefined) return refuse('gone');
  const { given, browser } = await countedFactor(em, staffId, shown, now);
  if (typeof given === 'string') return refuse(given);
  const found = { token, given, browser, cookie: shown.browser };
  return em
    .fork()
    .transactional(async (tx) => auditedByOrm(tx, await complete(tx, parts, found, now), audits));
}

interface Counted {
  readonly token: string;
  readonly given: GivenFactor;
  /** As it is known, and as it showed itself. */
  readonly browser: StaffBrowser | null;
  readonly cookie: string | null;
}

async function complete(
  tx: EntityManager,
  parts: Parts,
  { token, given, browser, cookie }: Counted,
  now: Date,
): Promise<Passed> {
  const pending = await lockPending(tx, token, now);
  if (!pending) return { passed: false, reason: 'gone' };
  const { session, staff } = pending;
  const refusal = await useFactor(tx, parts, staff, given, now);
  if (refusal) return { passed: false, reason: refusal };
  await forgiveTries(tx, staff.id, browser);
  return {
    passed: true,
    by: given.by,
    browser: await rememberLogin(tx, session, cookie, now),
    session: await completeSession(tx, session, now),
    recoveryCodesLeft: await codesLeft(tx, staff.id),
  };
}

async function renewRecoveryCodes(
  parts: Parts,
  staffId: string,
  shown: Shown,
  now: Date,
  audits: Audits<CodesRenewed>,
): Promise<CodesRenewed> {
  const { em } = parts;
  const refuse = (reason: FactorRefusal) =>
    auditedByOrm<CodesRenewed>(em.fork(), { passed: false, reason }, audits);
  const { given, browser } = await countedFactor(em, staffId, shown, now);
  if (given === 'gone') return refuse('wrong');
  if (typeof given === 'string') return refuse(given);
  // A recovery code that somebody found must not give ten more.
  if (given.by !== 'totp') return refuse('wrong');
  return em
    .fork()
    .transactional(async (tx) =>
      auditedByOrm(tx, await renew(tx, parts, { staffId, given, browser }, now), audits),
    );
}

async function renew(
  tx: EntityManager,
  parts: Parts,
  { staffId, given, browser }: { staffId: string; given: GivenFactor; browser: StaffBrowser | null },
  now: Date,
): Promise<CodesRenewed> {
  const staff = await tx.findOneOrFail(Staff, { id: staffId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  const refusal = await useFactor(tx, parts, staff, given, now);
  if (refusal) return { passed: false, reason: refusal };
  await forgiveTries(tx, staffId, browser);
  return { passed: true, recoveryCodes: await putRecoveryCodes(tx, parts.hash, staffId) };
}

/** Uses it up; each UPDATE is a compare-and-set, so that one code passes once whoever sends it at once. */
async function useFactor(
  tx: EntityManager,
  { encryption, hash }: Parts,
  { id, totpEncrypted }: Staff,
  given: GivenFactor,
  now: Date,
): Promise<'wrong' | 'used' | null> {
  if (given.by === 'totp') {
    const step = totpEncrypted ? stepOf(openSecret(encryption, totpEncrypted, id), given.code, now) : null;
    if (step === null) return 'wrong';
    const taken = await tx.nativeUpdate(Staff, { id, totpLastStep: { $lt: step } }, { totpLastStep: step });
    return taken === 0 ? 'used' : null;
  }
  const code = { staff: id, codeHash: hash('recovery-code', given.code) };
  const used = await tx.nativeUpdate(StaffRecoveryCode, { ...code, usedAt: null }, { usedAt: now });
  if (used > 0) return null;
  return (await tx.count(StaffRecoveryCode, code)) > 0 ? 'used' : 'wrong';
}

async function putRecoveryCodes(
  tx: EntityManager,
  hash: KeyedHash,
  staffId: string,
): Promise<readonly string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, () => base32(randomBytes(RECOVERY_CODE_BYTES)));
  const staff = tx.getReference(Staff, staffId);
  await tx.nativeDelete(StaffRecoveryCode, { staff: staffId });
  await tx.insertMany(
    StaffRecoveryCode,
    codes.map((code) => ({ staff, codeHash: hash('recovery-code', code), usedAt: null })),
  );
  return codes.map(showRecoveryCode);
}

const codesLeft = (em: EntityManager, staffId: string): Promise<number> =>
  em.count(StaffRecoveryCode, { staff: staffId, usedAt: null });

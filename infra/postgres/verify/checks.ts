import type pg from 'pg';
import { type CheckResult, FAILED_CHECKS_IN_A_ROW_MAX, lockedSince } from '../../../domain/verify/check.ts';
import type { ClosedReason } from '../../../domain/verify/verification.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import type { ByTo, Check, Checks } from '../../../domain/verify/checks.ts';
import { TOTP_FAILURES_MAX } from '../../../domain/shared/totp.ts';
import type { Persons } from '../../../domain/identity/person/port.ts';
import { otpSend } from '../../../domain/verify/job.ts';
import type { Phone } from '../../../domain/shared/phone.ts';
import { movesMoney } from '../../../domain/shared/payment.ts';
import { stateAt, type Verification, type VerificationState } from '../../../domain/verify/verification.ts';
import { type KeyedHash, sameText, type Encryption } from '../../process/crypto.ts';
import { deviceSecrets } from '../../identity/device/secrets.ts';
import { countFinished } from '../../process/metrics.ts';
import { approve } from './approve.ts';
import { type DeviceTotp, deviceTotp, type TotpMatch } from '../identity/device/totp.ts';
import { persons } from '../identity/person/persons.ts';
import { type VerificationRow, toVerification } from './verification-row.ts';
import { addressText } from '../../../domain/shared/address.ts';

export interface ChecksParts {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  /** Opens the secrets of devices. */
  readonly encryption: Encryption;
  readonly codeOf: (
    verification: Pick<
      Verification,
      'id' | 'projectId' | 'purpose' | 'codeKid' | 'codeGeneration' | 'codeLength'
    >,
  ) => string;
  readonly codeKid: string;
  readonly now: () => Date;
}

interface ChecksDeps extends ChecksParts {
  readonly devices: DeviceTotp;
  readonly persons: Pick<Persons, 'recipientOf'>;
}

/** A verification as counted, and what stands against its destination. */
interface CountedRow extends VerificationRow {
  readonly locked: boolean;
  readonly counted: boolean;
  /** Wrong codes of a device, since its person last acted. */
  readonly totp_failures: number;
}

export function otpChecks(parts: ChecksParts): Checks {
  const { pool, hash, encryption } = parts;
  const deps = {
    ...parts,
    devices: deviceTotp(pool, deviceSecrets(encryption)),
    persons: persons(pool, hash),
  };
  return {
    check: (check) =>
      'id' in check.of ? checkById(deps, check, check.of) : checkByTo(deps, check, check.of),
    isByIdAlone: (check) => isByIdAlone(deps, check),
  };
}

async function isByIdAlone(
  deps: Pick<ChecksDeps, 'pool' | 'hash' | 'now'>,
  { projectId, mode, destination, purpose }: ByTo,
): Promise<boolean> {
  const addressHash = deps.hash('address', addressText(destination, mode));
  const { rows } = await deps.pool.query<{ by_id_alone: boolean | null }>({
    name: 'is-by-id-alone',
    text: `select bool_and(not check_by_to) by_id_alone from verification
           where address_hash = $1 and project_id = $2 and purpose = $3 and asked_by = 'service' and state = 'live' and expires_at > $4`,
    values: [addressHash, projectId, purpose, deps.now()],
  });
  return rows[0]?.by_id_alone ?? false;
}

async function checkById(
  deps: ChecksDeps,
  check: Check,
  of: Extract<Check['of'], { id: string }>,
): Promise<CheckResult> {
  const now = deps.now();
  const { rows } = await deps.pool.query<CountedRow>({
    name: 'count-check',
    text: countCheck,
    values: [of.id, check.projectId, check.mode, now, of.purpose, lockedSince(now), TOTP_FAILURES_MAX, of.by],
  });
  const [row] = rows;
  if (!row) return { kind: 'unknown' };
  if (row.locked) return { kind: 'locked' };
  if (!row.counted) return refuseClosed(row, now);
  if (sameText(deps.codeOf(toVerification(row)), check.code)) return approveChecked(deps, row, now);
  if (!namesTotp(row)) return countFailure(deps, row, now);
  const matches = await deps.devices.match(
    { addressHash: row.address_hash, projectId: row.project_id },
    check.code,
    now,
  );
  return (await isDeviceCode(deps, row, matches, now))
    ? approveChecked(deps, row, now)
    : countFailure(deps, row, now);
}

const namesTotp = (row: Pick<VerificationRow, 'channels'>) => row.channels.includes('totp');

/**
 * Uses up the step of a device's code, and lets the project know the person, who has just approved for it. Both stand before the
 * verification is approved: after a crash in between, the person types the code of the next half minute.
 */
async function isDeviceCode(
  deps: Pick<ChecksDeps, 'devices' | 'persons'>,
  row: VerificationRow & Pick<CountedRow, 'totp_failures'>,
  matches: readonly TotpMatch[],
  now: Date,
): Promise<boolean> {
  if (!namesTotp(row) || movesMoney(row.purpose, row.payment) || row.totp_failures >= TOTP_FAILURES_MAX)
    return false;
  for (const match of matches) {
    if (!(await deps.devices.accept(match, now))) continue;
    const shown = row.phone === null ? undefined : { phone: row.phone as Phone };
    await deps.persons.recipientOf(match.personId, row.project_id as ProjectId, row.mode, now, shown);
    return true;
  }
  return false;
}

/**
 * Counts the check before anything is compared, so that concurrent checks count each. `counted` is false where the
 * verification takes none: closed, out of time, out of checks, or its destination locked. Where nothing but TOTP would be taken, too many
 * wrong codes of a device are a lock. What a stranger asked for knows no lock: `strangers.ts` bounds its codes, and so its guesses.
 */
const countCheck = `
with found as (
  select v.id, coalesce(d.totp_failures, 0) totp_failures,
    v.asked_by = 'service' and coalesce(d.locked_at > $6, false) or (v.channels = '{totp}' and coalesce(d.totp_failures >= $7, false)) locked
  from verification v left join destination d on d.address_hash = v.address_hash and d.project_id = v.project_id
  where v.id = $1 and v.project_id = $2 and v.mode = $3 and ($5::text is null or v.purpose = $5) and ($8 = 'service' or v.asked_by = $8)),
counted as (
  update verification v set checks_used = checks_used + 1 from found
  where v.id = found.id and not found.locked and v.state = 'live' and v.expires_at > $4 and v.checks_used < v.checks_max
  returning v.*)
select counted.*, found.locked, found.totp_failures, true counted from counted join found using (id)
union all
select v.*, found.locked, found.totp_failures, false from found join verification v using (id) where not exists (select from counted)`;

/**
 * Only the first right check wins; the job stops, the destination's failures are forgotten, its prefix gains trust. The check
 * was counted while there was one left, so that a wrong one after it, which used up the last and was faster, takes nothing away.
 */
async function approveChecked(deps: ChecksDeps, row: VerificationRow, now: Date): Promise<CheckResult> {
  const { id, address_hash: addressHash, project_id: projectId } = row;
  const stopped = await approve(
    deps.pool,
    { id, addressHash, projectId, from: ['live', 'max-checks-reached'] },
    now,
  );
  if (stopped === null) return refuseClosed({ ...row, state: 'approved' }, now);
  countFinished(otpSend.kind, 'completed', stopped);
  return { kind: 'approved', id: row.id, purpose: row.purpose, phone: row.phone };
}

/** Counts the failure on the destination, and closes a verification whose last check this was. A stranger's counts for itself alone. */
async function countFailure(deps: ChecksDeps, row: VerificationRow, now: Date): Promise<CheckResult> {
  const remaining = row.checks_max - row.checks_used;
  const spent = remaining === 0 ? row.id : null;
  if (row.asked_by === 'service') {
    const { address_hash: addressHash, project_id: projectId } = row;
    await fail(deps, { addressHash, projectId, spent, asTotp: namesTotp(row) }, now);
  } else if (spent !== null) {
    const { rowCount } = await deps.pool.query({
      name: 'spend-checks',
      text: spendChecks,
      values: [spent, now],
    });
    countFinished(otpSend.kind, 'cancelled', rowCount ?? 0);
  }
  return { kind: 'incorrect', remaining };
}

const closedReason: Record<Exclude<VerificationState, 'live'>, ClosedReason> = {
  approved: 'used',
  denied: 'denied',
  cancelled: 'cancelled',
  expired: 'expired',
  'max-checks-reached': 'max-checks-reached',
};

/** Nothing lives that a guess could hit, so that none is counted against the number: its owner would be locked out for nothing. */
function refuseClosed(row: VerificationRow, now: Date): CheckResult {
  const state = stateAt(toVerification(row), now);
  // Live, yet not counted: the fifth check is being settled by its own request.
  return { kind: 'closed', reason: closedReason[state === 'live' ? 'max-checks-reached' : state] };
}

/**
 * By `to`, a wrong code, a closed verification and no verification at all are one answer after the same work: a commit that
 * counts, a derivation, a comparison, a look at five devices, and a commit with the failure on the destination. Where nothing
 * lives, both commits write a line in Postgres's log and no row: nothing is counted against the number, and nothing stays.
 */
async function checkByTo(
  deps: ChecksDeps,
  check: Check,
  of: Extract<Check['of'], { destination: unknown }>,
): Promise<CheckResult> {
  const now = deps.now();
  const { projectId } = check;
  const addressHash = deps.hash('address', addressText(of.destination, check.mode));
  const { rows } = await deps.pool.query<CountedByTo>({
    name: 'count-check-by-to',
    text: countCheckByTo,
    values: [addressHash, projectId, of.purpose, now, lockedSince(now)],
  });
  const [row] = rows;
  if (row?.locked) return { kind: 'locked' };
  const counted = row && row.id !== null ? row : null;
  const derived = isDerivedCode(deps, counted, check);
  if (counted && derived) return approveByTo(deps, counted, now);
  const matches = await deps.devices.match({ addressHash, projectId }, check.code, now);
  if (counted && (await isDeviceCode(deps, counted, matches, now))) return approveByTo(deps, counted, now);
  if (counted) {
    const spent = counted.checks_used === counted.checks_max ? counted.id : null;
    await fail(deps, { addressHash, projectId, spent, asTotp: namesTotp(counted) }, now);
  } else await deps.pool.query({ name: 'count-nothing', text: `select ${emptyWrite}` });
  return { kind: 'incorrect', remaining: null };
}

type CountedByTo = VerificationRow & Pick<CountedRow, 'locked' | 'totp_failures'>;

/** A code is derived whether or not there is a verification to derive it of. */
function isDerivedCode(deps: ChecksDeps, counted: CountedByTo | null, check: Check): boolean {
  const verification = counted
    ? toVerification(counted)
    : { ...nobody, codeKid: deps.codeKid, projectId: check.projectId, codeLength: check.code.length };
  return sameText(deps.codeOf(verification), check.code);
}

/** Somebody else was first: that the code was used is not told by `to`. */
async function approveByTo(deps: ChecksDeps, counted: CountedByTo, now: Date): Promise<CheckResult> {
  const result = await approveChecked(deps, counted, now);
  return result.kind === 'approved' ? result : { kind: 'incorrect', remaining: null };
}

/** Stands in for a verification that does not exist, so that deriving its code takes as long. */
const nobody = {
  id: '00000000-0000-7000-8000-000000000000',
  purpose: '',
  codeGeneration: 0,
} as unknown as Pick<Verification, 'id' | 'purpose' | 'codeGeneration'>;

/** A commit is flushed for it as for a row. */
const emptyWrite = `pg_logical_emit_message(true, 'navbat', '')`;

/** Always one row: whether the destination is locked, and the counted verification or nulls. Always one write, counted or not. */
const countCheckByTo = `
with held as materialized (
  select locked_at, totp_failures from destination where address_hash = $1 and project_id = $2 for update),
counted as (
  update verification v set checks_used = checks_used + 1
  where v.address_hash = $1 and v.project_id = $2 and v.purpose = $3 and v.asked_by = 'service' and v.check_by_to and v.state = 'live'
    and v.expires_at > $4 and v.checks_used < v.checks_max and not exists (select from held where locked_at > $5)
  returning v.*),
empty as materialized (select ${emptyWrite} where not exists (select from counted))
select counted.*, coalesce(held.locked_at > $5, false) locked, coalesce(held.totp_failures, 0) totp_failures,
  (select count(*) from empty) empty
from (select 1) one left join held on true left join counted on true`;

const spendChecks = `
with spent as (
  update verification set state = 'max-checks-reached', closed_at = $2 where id = $1 and state = 'live' returning job_id)
update job j set state = 'cancelled', reason = 'max-checks-reached', finished_at = $2 from spent where j.id = spent.job_id and j.finished_at is null`;

interface Failure {
  readonly addressHash: Buffer;
  readonly projectId: string;
  /** The verification whose last check this was. */
  readonly spent: string | null;
  /** A device's code would have been taken too. */
  readonly asTotp: boolean;
}

async function fail(
  deps: ChecksDeps,
  { addressHash, projectId, spent, asTotp }: Failure,
  now: Date,
): Promise<void> {
  const { rowCount } = await deps.pool.query({
    name: 'fail-check',
    text: failCheck,
    values: [
      addressHash,
      projectId,
      now,
      FAILED_CHECKS_IN_A_ROW_MAX,
      spent,
      lockedSince(now),
      asTotp ? 1 : 0,
    ],
  });
  countFinished(otpSend.kind, 'cancelled', rowCount ?? 0);
}

/** The destination is locked before the verification, as everybody does. Where its day's lock has lifted, it counts from one again. */
const failCheck = `
with failed as (
  insert into destination as d (address_hash, project_id, failed_checks, updated_at, totp_failures, totp_pending)
  values ($1, $2, 1, $3, $7, $7)
  on conflict (address_hash, project_id) do update set updated_at = $3,
    totp_failures = d.totp_failures + $7, totp_pending = d.totp_pending + $7,
    failed_checks = case when d.locked_at <= $6 then 1 else d.failed_checks + 1 end,
    locked_at = case when d.locked_at <= $6 then null when d.failed_checks + 1 >= $4 then coalesce(d.locked_at, $3) else d.locked_at end
  returning d.failed_checks),
spent as (
  update verification set state = 'max-checks-reached', closed_at = $3
  where id = $5 and state = 'live' and (select count(*) from failed) >= 0
  returning job_id)
update job j set state = 'cancelled', reason = 'max-checks-reached', finished_at = $3 from spent where j.id = spent.job_id and j.finished_at is null`;

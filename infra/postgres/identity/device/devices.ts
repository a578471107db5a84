import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { DEVICES_MAX, DeviceId } from '../../../../domain/identity/device/device.ts';
import {
  CONFIRM_SECONDS,
  CONFIRM_TRIES_MAX,
  NONCE_BYTES,
} from '../../../../domain/identity/device/enrolment.ts';
import type {
  Bound,
  Claimed,
  ConfirmTry,
  DeviceClaim,
  DeviceKind,
  Devices,
  DeviceView,
  PendingDevice,
} from '../../../../domain/identity/device/port.ts';
import { DevicePublicKey } from '../../../../domain/identity/device/public-key.ts';
import { TOTP_SECRET_BYTES } from '../../../../domain/shared/totp.ts';
import type { PersonId } from '../../../../domain/identity/person/person.ts';
import type { VerificationId, ProjectId } from '../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { KeyMode } from '../../../../domain/project/key.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { RecipientId } from '../../../../domain/identity/recipient/recipient.ts';
import { recipientAddressText } from '../../../../domain/shared/address.ts';
import { type KeyedHash, type Encryption, sha256 } from '../../../process/crypto.ts';
import { deviceSecrets } from '../../../identity/device/secrets.ts';
import { rotating } from './rotate-secrets.ts';
import { endSessions } from '../session/session-ends.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';

export interface DeviceDeps {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  readonly encryption: Encryption;
}

export function devices(deps: DeviceDeps): Devices {
  const { pool } = deps;
  return {
    claim: (claim, now) => inTransaction(pool, (tx) => claimToken(deps, tx, claim, now)),
    unclaim: async (id, token) => {
      await pool.query(unclaimToken, [id, sha256(token)]);
    },
    noteCode: async (id, verificationId) => {
      await pool.query('update device set verification_id = $2 where id = $1', [id, verificationId]);
    },
    startAuthenticator: (personId, name, now) => startAuthenticator(deps, personId, name, now),
    countTry: (id, authenticatorOf, now) => countTry(deps, id, authenticatorOf, now),
    noteOwner: async (id, personId) => {
      await pool.query(
        'update device set person_id = $2, verification_id = null where id = $1 and person_id is null',
        [id, personId],
      );
    },
    bind: (id, personId, step, now) => inTransaction(pool, (tx) => bind(tx, { id, personId, step }, now)),
    drop: async (id) => {
      await pool.query(dropPending, [id]);
    },
    list: async (personId, { limit, after }) => {
      const { rows } = await pool.query<DeviceRow>(listDevices, [personId, after, limit + 1]);
      return pageOf(rows.map(toView), limit);
    },
    change: (personId, id, change) => changeDevice(deps, personId, id, change),
    revoke: (personId, id, now) => inTransaction(pool, (tx) => revoke(tx, personId, id, now)),
    ...rotating(pool, deviceSecrets(deps.encryption)),
  };
}

interface DeviceRow {
  readonly id: string;
  readonly kind: DeviceKind;
  readonly name: string;
  readonly platform: string | null;
  readonly has_push: boolean;
  readonly rotation_wanted_at: Date | null;
  readonly bound_at: Date;
  readonly last_used_at: Date | null;
}

const toView = (row: DeviceRow): DeviceView => ({
  id: DeviceId.parse(row.id),
  kind: row.kind,
  name: row.name,
  platform: row.platform,
  hasPushAddress: row.has_push,
  rotationWanted: row.rotation_wanted_at !== null,
  boundAt: row.bound_at,
  lastUsedAt: row.last_used_at,
});

const viewColumns = `
d.id, d.kind, d.name, d.platform, d.rotation_wanted_at, d.bound_at, d.last_used_at,
exists (select from recipient r where r.id = d.recipient_id and r.push_token_encrypted is not null) has_push`;

const listDevices = `
select ${viewColumns} from device d
where d.person_id = $1 and d.bound_at is not null and d.revoked_at is null and ($2::uuid is null or d.id < $2) order by d.id desc limit $3`;

interface TokenRow {
  readonly person_id: PersonId | null;
  readonly recipient_id: RecipientId | null;
  readonly phone: Phone | null;
  readonly devices: number;
}

/** Whoever is second waits for the first at the token's row, and finds it used. */
const lockToken = `
select e.person_id, e.recipient_id, r.phone,
  (select count(*) from device d where d.person_id = e.person_id and d.bound_at is not null and d.revoked_at is null)::int devices
from enrolment e left join recipient r on r.id = e.recipient_id
where e.token_hash = $1 and e.used_at is null and e.expires_at > $2 for update of e`;

async function claimToken(deps: DeviceDeps, tx: Queryable, claim: DeviceClaim, now: Date): Promise<Claimed> {
  const tokenHash = sha256(claim.token);
  const { rows } = await tx.query<TokenRow>(lockToken, [tokenHash, now]);
  const [token] = rows;
  // A recipient that lost its phone meanwhile gives nobody anything to prove.
  if (!token || (token.person_id === null && token.phone === null))
    return { claim: 'refused', reason: 'unusable-token' };
  // Told early, while the token is still good; what counts is counted again when it is bound.
  if (token.devices >= DEVICES_MAX) return { claim: 'refused', reason: 'too-many-devices' };
  const device = newPending(now);
  const pushRecipient = await insertPushRecipient(deps, tx, device.id, claim.pushAddress, now);
  await insertDevice(deps, tx, device, now, {
    kind: 'app',
    personId: token.person_id,
    forRecipientId: token.recipient_id,
    pushRecipient,
    name: claim.name,
    platform: claim.platform,
    publicKey: claim.publicKey,
  });
  await tx.query('update enrolment set used_at = $2 where token_hash = $1', [tokenHash, now]);
  return { claim: 'pending', device, phone: token.person_id === null ? token.phone : null };
}

function newPending(now: Date): PendingDevice {
  return {
    id: DeviceId.parse(uuidv7({ msecs: now.getTime() })),
    secret: randomBytes(TOTP_SECRET_BYTES),
    nonce: randomBytes(NONCE_BYTES).toString('base64url'),
    confirmUntil: new Date(now.getTime() + CONFIRM_SECONDS * 1_000),
  };
}

/** The address of its own, which no phone's hash can meet: pushes and their pruning serve it as any other recipient's. */
async function insertPushRecipient(
  { hash, encryption }: DeviceDeps,
  tx: Queryable,
  deviceId: DeviceId,
  pushAddress: string | null,
  now: Date,
): Promise<RecipientId> {
  const id = RecipientId.parse(uuidv7({ msecs: now.getTime() }));
  await tx.query(
    `insert into recipient (id, project_id, handle, address_hash, push_token_encrypted, push_token_hash, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)`,
    [
      id,
      PLATFORM_PROJECT_ID,
      `device:${deviceId}`,
      hash('address', recipientAddressText(id, null)),
      pushAddress === null ? null : encryption.encrypt(pushAddress, id),
      pushAddress === null ? null : hash('push-token', pushAddress),
      now,
    ],
  );
  return id;
}

interface NewDevice {
  readonly kind: DeviceKind;
  readonly personId: PersonId | null;
  readonly forRecipientId: RecipientId | null;
  readonly pushRecipient: RecipientId | null;
  readonly name: string;
  readonly platform: string | null;
  readonly publicKey: DevicePublicKey | null;
}

async function insertDevice(
  { encryption }: DeviceDeps,
  db: Queryable,
  { id, secret, nonce, confirmUntil }: PendingDevice,
  now: Date,
  device: NewDevice,
): Promise<void> {
  await db.query(
    `insert into device (id, person_id, kind, name, platform, public_key, recipient_id, for_recipient_id, totp_encrypted, nonce, confirm_until, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      id,
      device.personId,
      device.kind,
      device.name,
      device.platform,
      device.publicKey,
      device.pushRecipient,
      device.forRecipientId,
      deviceSecrets(encryption).encrypt(secret, id),
      Buffer.from(nonce, 'base64url'),
      confirmUntil,
      now,
    ],
  );
}

async function startAuthenticator(
  deps: DeviceDeps,
  personId: PersonId,
  name: string,
  now: Date,
): Promise<PendingDevice | null> {
  return inTransaction(deps.pool, async (tx) => {
    // One after the other: of two that are started at once, one waits to be confirmed.
    await tx.query('select from person where id = $1 for no key update', [personId]);
    if ((await countBound(tx, personId)) >= DEVICES_MAX) return null;
    await tx.query(dropPendingAuthenticators, [personId]);
    const device = newPending(now);
    await insertDevice(deps, tx, device, now, {
      kind: 'authenticator',
      personId,
      forRecipientId: null,
      pushRecipient: null,
      name,
      platform: null,
      publicKey: null,
    });
    return device;
  });
}

/** The secret that nobody confirmed: whoever starts anew scans another. */
const dropPendingAuthenticators = `
delete from device where person_id = $1 and kind = 'authenticator' and bound_at is null and revoked_at is null`;

async function countBound(db: Queryable, personId: PersonId): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    'select count(*)::int n from device where person_id = $1 and bound_at is not null and revoked_at is null',
    [personId],
  );
  return rows[0]?.n ?? 0;
}

const pendingGone = `
gone as (delete from device where id = $1 and bound_at is null returning id, recipient_id),
addresses as (delete from recipient where id = any(array(select recipient_id from gone)))`;

const dropPending = `with ${pendingGone} select from gone`;

/** Its token is good again, unless a later one took its place meanwhile. */
const unclaimToken = `
with ${pendingGone}
update enrolment e set used_at = null where token_hash = $2 and exists (select from gone)
  and not exists (select from enrolment later where later.used_at is null
    and (later.person_id = e.person_id or later.recipient_id = e.recipient_id))`;

interface TryRow {
  readonly id: string;
  readonly person_id: PersonId | null;
  readonly mode: KeyMode | null;
  readonly public_key: unknown;
  readonly nonce: Buffer;
  readonly totp_encrypted: Buffer;
  readonly verification_id: VerificationId | null;
  readonly asked_by: ProjectId | null;
  readonly asked_phone: Phone | null;
  readonly tries_left: number;
}

async function countTry(
  { pool, encryption }: DeviceDeps,
  id: DeviceId,
  authenticatorOf: PersonId | null,
  now: Date,
): Promise<ConfirmTry | null> {
  const { rows } = await pool.query<TryRow>(countConfirmTry, [id, authenticatorOf, now, CONFIRM_TRIES_MAX]);
  const [row] = rows;
  if (!row) return null;
  return {
    id,
    secret: deviceSecrets(encryption).decrypt(row.totp_encrypted, id),
    signs: row.public_key
      ? { publicKey: DevicePublicKey.parse(row.public_key), nonce: row.nonce.toString('base64url') }
      : null,
    person: row.person_id && row.mode ? { id: row.person_id, mode: row.mode } : null,
    verificationId: row.verification_id,
    askedBy: row.asked_by && row.asked_phone ? { projectId: row.asked_by, phone: row.asked_phone } : null,
    triesLeft: row.tries_left,
  };
}

/** Counted before anything is compared, so that tries at the same moment count each. */
const countConfirmTry = `
with counted as (
  update device set confirm_tries = confirm_tries + 1
  where id = $1 and bound_at is null and confirm_until > $3 and confirm_tries < $4
    and (($2::uuid is null and kind = 'app') or (kind = 'authenticator' and person_id = $2))
  returning *)
select d.id, d.person_id, p.mode, d.public_key, d.nonce, d.totp_encrypted, d.verification_id, r.project_id asked_by, r.phone asked_phone,
  $4 - d.confirm_tries tries_left
from counted d left join person p on p.id = d.person_id left join recipient r on r.id = d.for_recipient_id`;

/** The person's row is held meanwhile: who binds two devices at once binds one after the other, and the sixth is counted. */
async function bind(
  tx: Queryable,
  { id, personId, step }: { id: DeviceId; personId: PersonId; step: number },
  now: Date,
): Promise<Bound> {
  const person = await tx.query('select from person where id = $1 for no key update', [personId]);
  if (person.rowCount === 0) return { bound: false, reason: 'gone' };
  if ((await countBound(tx, personId)) >= DEVICES_MAX) return { bound: false, reason: 'too-many-devices' };
  const { rows } = await tx.query<DeviceRow & PushAddressRow>(bindDevice, [id, personId, step, now]);
  const [row] = rows;
  if (!row) return { bound: false, reason: 'gone' };
  if (row.push_recipient && row.push_hash) await takePushAddress(tx, row.push_recipient, row.push_hash);
  await notify(tx, personId, id, 'device-bound', now);
  return { bound: true, device: toView(row) };
}

const bindDevice = `
update device d set bound_at = $4, last_used_at = $4, totp_last_step = $3, nonce = null, confirm_until = null, for_recipient_id = null
where id = $1 and person_id = $2 and bound_at is null and confirm_until > $4 returning ${viewColumns},
  d.recipient_id push_recipient, (select r.push_token_hash from recipient r where r.id = d.recipient_id) push_hash`;

interface PushAddressRow {
  readonly push_recipient: RecipientId | null;
  readonly push_hash: Buffer | null;
}

/** Written in the commit in which it happened; the announcer tells every other device and chat of the person. */
async function notify(
  tx: Queryable,
  personId: PersonId,
  deviceId: DeviceId,
  kind: 'device-bound' | 'device-revoked',
  now: Date,
): Promise<void> {
  await tx.query(
    'insert into person_notice (id, person_id, kind, subject_id, at) values ($1, $2, $3, $4, $5)',
    [uuidv7({ msecs: now.getTime() }), personId, kind, deviceId, now],
  );
}

/**
 * One installation of the app is one device: bound anew, for whomever, it is no longer the device that it was, and pushes for that one
 * must not arrive on it. Two that claim one address at the same moment do so one after the other: the lock comes before any row.
 */
async function takePushAddress(tx: Queryable, recipientId: RecipientId, tokenHash: Buffer): Promise<void> {
  await tx.query(lockPushAddress, [tokenHash]);
  await tx.query(clearPushAddress, [recipientId, tokenHash, PLATFORM_PROJECT_ID]);
}

const lockPushAddress = `select pg_advisory_xact_lock(hashtextextended('push address ' || encode($1, 'hex'), 0))`;

const clearPushAddress = `
update recipient set push_token_encrypted = null, push_token_hash = null, updated_at = navbat_now()
where project_id = $3 and push_token_hash = $2 and id <> $1`;

async function changeDevice(
  { pool, hash, encryption }: DeviceDeps,
  personId: PersonId,
  id: DeviceId,
  { name, pushAddress }: Parameters<Devices['change']>[2],
): Promise<DeviceView | null> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ recipient_id: RecipientId | null }>(
      `update device set name = coalesce($3, name)
       where id = $1 and person_id = $2 and bound_at is not null and revoked_at is null returning recipient_id`,
      [id, personId, name ?? null],
    );
    const [row] = rows;
    if (!row) return null;
    if (pushAddress !== undefined && row.recipient_id)
      await setPushAddress({ hash, encryption }, tx, row.recipient_id, pushAddress);
    const changed = await tx.query<DeviceRow>(`select ${viewColumns} from device d where d.id = $1`, [id]);
    return changed.rows[0] ? toView(changed.rows[0]) : null;
  });
}

async function setPushAddress(
  { hash, encryption }: Pick<DeviceDeps, 'hash' | 'encryption'>,
  tx: Queryable,
  recipientId: RecipientId,
  pushAddress: string | null,
): Promise<void> {
  const tokenHash = pushAddress === null ? null : hash('push-token', pushAddress);
  if (tokenHash) await takePushAddress(tx, recipientId, tokenHash);
  await tx.query(
    'update recipient set push_token_encrypted = $2, push_token_hash = $3, updated_at = navbat_now() where id = $1',
    [recipientId, pushAddress === null ? null : encryption.encrypt(pushAddress, recipientId), tokenHash],
  );
}

async function revoke(tx: Queryable, personId: PersonId, id: DeviceId, now: Date): Promise<boolean> {
  const revoked = await tx.query(revokeDevice, [id, personId, now]);
  if (revoked.rowCount === 0) return false;
  await endSessions(tx, { deviceId: id }, 'device-revoked', now);
  await notify(tx, personId, id, 'device-revoked', now);
  return true;
}

/**
 * What a revoked device held serves nobody any more, so that it is not kept. Its key stays: it explains old approvals; and for an
 * hour its address, so that whoever was robbed of their account hears on the very phone what was bound and revoked.
 */
const revokeDevice = `
update device set revoked_at = $3, totp_encrypted = null, totp_next_encrypted = null, totp_previous_encrypted = null, totp_previous_until = null
where id = $1 and person_id = $2 and bound_at is not null and revoked_at is null`;

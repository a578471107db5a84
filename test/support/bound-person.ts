import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { TOTP } from 'totp-generator';
import { DeviceId } from '../../domain/identity/device/device.ts';
import { TOTP_SECRET_BYTES, TOTP_STEP_SECONDS } from '../../domain/shared/totp.ts';
import { readConfig } from '../../infra/process/config.ts';
import { keyedHash, rowEncryption } from '../../infra/process/crypto.ts';
import { deviceSecrets } from '../../infra/identity/device/secrets.ts';

/** A person of whom only the rows exist: for tests that need many, or need them in a state that no app would bring about. */
export interface BoundPerson {
  readonly personId: string;
  readonly phone: string;
  readonly devices: readonly BoundDevice[];
}

export interface BoundDevice {
  readonly id: string;
  /** What it shows; `steps` half minutes from now. Computed by another implementation than ours. */
  code(steps?: number): Promise<string>;
}

interface Where {
  readonly db: Pick<pg.Pool, 'query'> | Pick<pg.Client, 'query'>;
  readonly env: Readonly<Record<string, string>>;
}

/** Binds authenticators to the person of a phone, who is made for it. */
export async function bindPerson(where: Where, phone: string, devices = 1): Promise<BoundPerson> {
  const [person] = await bindPeople(where, [phone], devices);
  if (!person) throw new Error('nobody was made');
  return person;
}

/** The same for many, in three statements. */
export async function bindPeople(
  { db, env }: Where,
  phones: readonly string[],
  devices: number,
): Promise<BoundPerson[]> {
  const { PEPPER, ENCRYPTION_KEYS } = readConfig(env);
  const hash = keyedHash(PEPPER);
  const secrets = deviceSecrets(rowEncryption(ENCRYPTION_KEYS));
  const people = phones.map((phone) => ({ phone, personId: randomUUID() }));
  const bound = people.flatMap(({ personId }) =>
    Array.from({ length: devices }, () => {
      const id = DeviceId.parse(randomUUID());
      const secret = randomBytes(TOTP_SECRET_BYTES);
      return { id, personId, secret, encrypted: secrets.encrypt(secret, id) };
    }),
  );
  const ids = people.map(({ personId }) => personId);
  await db.query('insert into person (id, created_at) select id, now() from unnest($1::uuid[]) id', [ids]);
  await db.query(
    `insert into person_phone (address_hash, person_id, phone, proof, proven_at)
     select hash, id, phone, 'code', now() from unnest($1::bytea[], $2::uuid[], $3::text[]) as w (hash, id, phone)`,
    [phones.map((phone) => hash('address', phone)), ids, phones],
  );
  await db.query(
    `insert into device (id, person_id, kind, name, totp_encrypted, created_at, bound_at)
     select id, person_id, 'authenticator', 'test', encrypted, now(), now() - interval '2 days'
     from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as w (id, person_id, encrypted)`,
    [
      bound.map(({ id }) => id),
      bound.map(({ personId }) => personId),
      bound.map(({ encrypted }) => encrypted),
    ],
  );
  return people.map((person) => ({
    ...person,
    devices: bound
      .filter(({ personId }) => personId === person.personId)
      .map(({ id, secret }) => ({ id, code: (steps = 0) => codeOf(secret, steps) })),
  }));
}

async function codeOf(secret: Uint8Array, steps: number): Promise<string> {
  const timestamp = Date.now() + steps * TOTP_STEP_SECONDS * 1_000;
  return (await TOTP.generate(base32(secret), { timestamp, explicitZeroPad: true })).otp;
}

/** RFC 4648 §6, as `otpauth://` wants it: five bits a letter. */
export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)])
    .join('');
}

/** A code of this step stays one for as long as a test takes to send it. */
export async function earlyInStep(secondsNeeded = 8): Promise<void> {
  const stepMs = TOTP_STEP_SECONDS * 1_000;
  const leftMs = stepMs - (Date.now() % stepMs);
  if (leftMs < secondsNeeded * 1_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 50));
}

import { randomBytes, randomUUID } from 'node:crypto';
import { TOTP } from 'totp-generator';
import { DeviceId } from '../../domain/device/device.ts';
import { TOTP_SECRET_BYTES, TOTP_STEP_SECONDS } from '../../domain/device/totp.ts';
import { readConfig } from '../../infra/config.ts';
import { keyedHash, sealer } from '../../infra/crypto.ts';
import { deviceSecrets } from '../../infra/device-secrets.ts';
import type { Navbat } from './navbat.ts';

/** A person of whom only the rows exist: for tests that need many, or need them in a state that no app would bring about. */
export interface BoundPerson {
  readonly personId: string;
  readonly devices: readonly BoundDevice[];
}

export interface BoundDevice {
  readonly id: string;
  /** What it shows; `steps` half minutes from now. Computed by another implementation than ours. */
  code(steps?: number): Promise<string>;
}

/** Binds authenticators to the person of a phone, who is made for it. */
export async function bindPerson(
  { db, env }: Pick<Navbat, 'db' | 'env'>,
  phone: string,
  devices = 1,
): Promise<BoundPerson> {
  const { PEPPER, SEAL_KEYS } = readConfig(env);
  const personId = randomUUID();
  await db.query('insert into person (id, created_at) values ($1, now())', [personId]);
  await db.query(
    `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
    [keyedHash(PEPPER)('address', phone), personId, phone],
  );
  const secrets = deviceSecrets(sealer(SEAL_KEYS));
  const bound = Array.from({ length: devices }, async () => {
    const id = DeviceId.parse(randomUUID());
    const secret = randomBytes(TOTP_SECRET_BYTES);
    await db.query(
      `insert into device (id, person_id, kind, name, totp_sealed, created_at, bound_at)
       values ($1, $2, 'authenticator', 'test', $3, now(), now() - interval '2 days')`,
      [id, personId, secrets.seal(secret, id)],
    );
    return { id, code: (steps = 0) => codeOf(secret, steps) };
  });
  return { personId, devices: await Promise.all(bound) };
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

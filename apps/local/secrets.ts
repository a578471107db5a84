import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivate } from './private-file.ts';
import { parseJson } from '../../domain/shared/json.ts';

/** Names and values of environment variables. */
export type Variables = Readonly<Record<string, string>>;

const FILE = 'secrets.json';
const Kept = z.record(z.string(), z.string());

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const text = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** Credentials of accounts that exist in the sandbox alone, shaped as the providers' own (contracts.md §3, §5 and §5a). */
export function newSandboxCredentials(): Variables {
  return {
    TWILIO_ACCOUNT_SID: `AC${hex(16)}`,
    TWILIO_AUTH_TOKEN: hex(16),
    // Twilio's own number for tests that succeed.
    TWILIO_PHONE_NUMBER: '+15005550006',
    ESKIZ_EMAIL: 'sandbox@navbat.example',
    ESKIZ_PASSWORD: hex(16),
    // The number that Eskiz gives to everybody.
    ESKIZ_FROM: '4546',
    PLAY_MOBILE_LOGIN: 'navbat',
    PLAY_MOBILE_PASSWORD: text(24),
    PLAY_MOBILE_FROM: '3700',
    TELEGRAM_BOT_TOKEN: `7000000001:${text(26).slice(0, 35)}`,
    TELEGRAM_GATEWAY_TOKEN: text(24),
    MULTICARD_APPLICATION_ID: 'navbat-sandbox',
    MULTICARD_SECRET: text(24),
    MULTICARD_STORE_ID: '6',
  };
}

/**
 * The home's secrets, made on the first start. One that a later version adds is made then; none is ever replaced, because
 * what they encrypted and hashed stands in Postgres.
 */
export async function keepSecrets(home: string, fresh: Variables): Promise<Variables> {
  const path = join(home, FILE);
  const kept = await readKept(path);
  const missing = Object.keys(fresh).filter((name) => !(name in kept));
  const secrets = { ...fresh, ...kept };
  if (missing.length > 0) await writePrivate(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

async function readKept(path: string): Promise<Variables> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '{}';
    throw error;
  });
  const parsed = Kept.safeParse(parseJson(content));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${path} can't be read as JSON of names and texts. Restore it, or delete the whole directory it stands in to start afresh.`,
  );
}

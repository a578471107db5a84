import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import {
  AUTH_AGE_SECONDS_MAX,
  type SignedByTelegram,
  type TelegramLogin,
} from '../../domain/identity/registration/login.ts';
import { sameText } from '../process/crypto.ts';
import { parseJson } from '../../domain/shared/json.ts';

/** Two clocks differ by some seconds; what is further ahead was not signed by Telegram's. */
const CLOCK_SKEW_SECONDS = 60;

const HASH = /^[0-9a-f]{64}$/;
const Seconds = z.coerce.number().int().positive();
const TelegramId = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
/** Of the Mini App's `user`, a JSON object in a field. */
const AppUser = z.object({ id: TelegramId });

/**
 * Reads what Telegram signed with the bot's token: the fields of the Login widget, or a Mini App's `initData`, both written as a
 * query. A Mini App's has a `user`, the widget's an `id` (core.telegram.org/widgets/login, /bots/webapps).
 */
export function telegramLogin(botToken: string): TelegramLogin {
  const keys = {
    widget: createHash('sha256').update(botToken).digest(),
    'mini-app': createHmac('sha256', 'WebAppData').update(botToken).digest(),
  } as const;
  return (text, now) => {
    const fields = fieldsOf(text);
    const hash = fields?.get('hash');
    if (!fields || !hash || !HASH.test(hash)) return { signed: false, reason: 'malformed' };
    const kind = fields.has('user') ? 'mini-app' : 'widget';
    const expected = createHmac('sha256', keys[kind]).update(checkText(fields)).digest('hex');
    if (!sameText(hash, expected)) return { signed: false, reason: 'signature' };
    return readSigned(kind, fields, hash, now);
  };
}

/** Null where a name comes twice, or a line break could pass for the border between two fields: what is signed is then not for us to guess. */
function fieldsOf(text: string): Map<string, string> | null {
  const pairs = [...new URLSearchParams(text)];
  const fields = new Map(pairs);
  return fields.size === pairs.length && !pairs.flat().some((part) => part.includes('\n')) ? fields : null;
}

/** Every field but the hash, in the order of their names. */
const checkText = (fields: ReadonlyMap<string, string>): string =>
  [...fields]
    .filter(([name]) => name !== 'hash')
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join('\n');

function readSigned(
  kind: 'widget' | 'mini-app',
  fields: ReadonlyMap<string, string>,
  hash: string,
  now: Date,
): SignedByTelegram {
  const authSeconds = Seconds.safeParse(fields.get('auth_date')).data;
  const telegramId = kind === 'widget' ? TelegramId.safeParse(fields.get('id')).data : appUserId(fields);
  if (authSeconds === undefined || telegramId === undefined) return { signed: false, reason: 'malformed' };
  const ageSeconds = now.getTime() / 1_000 - authSeconds;
  if (ageSeconds > AUTH_AGE_SECONDS_MAX || ageSeconds < -CLOCK_SKEW_SECONDS)
    return { signed: false, reason: 'stale' };
  return { signed: true, telegramId, hash, authAt: new Date(authSeconds * 1_000) };
}

const appUserId = (fields: ReadonlyMap<string, string>): number | undefined =>
  AppUser.safeParse(parseJson(fields.get('user') ?? '')).data?.id;

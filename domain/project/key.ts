import { z } from 'zod';
import { VISIBLE_LINE } from '../shared/visible-line.ts';

/** A secret key is for services; a publishable one may sit in an app and reaches only the founding documents' public endpoints. */
export const keyAccesses = ['secret', 'publishable'] as const;
export type KeyAccess = (typeof keyAccesses)[number];

/** A test key sends nothing: its codes show in `GET /otp/{id}`. */
export const keyModes = ['live', 'test'] as const;
export type KeyMode = (typeof keyModes)[number];

/** What a key may do. `critical` passes what people switched off, `payouts` asks for money to be paid out, and `gateways` says how much traffic was carried, which is paid for: these are asked for by name; `register` is the bot's own (X16); `public` is all that a publishable key has. */
const keyScopes = [
  'otp',
  'jobs',
  'projects',
  'recipients',
  'messages',
  'critical',
  'webhooks',
  'register',
  'payouts',
  'gateways',
  'public',
] as const;
export const KeyScope = z.enum(keyScopes);
export type KeyScope = z.infer<typeof KeyScope>;

/** So that each of a few services has its own, and a new key can be rolled out before the old one is revoked. */
export const ACTIVE_KEYS_MAX = 5;

/** Revoked ones among them, which stay as a record: no service ever needs so many. */
export const KEYS_MADE_MAX = 1_000;

/** What tells keys apart where people look at them. */
export const KeyName = z.string().max(60).regex(VISIBLE_LINE, 'expected one line of visible text');

/** A site, its test stage and a few developers' machines. */
const ORIGINS_MAX = 20;

/** A web origin (RFC 6454) exactly as browsers write it: https, or http on the developer's own machine. */
const WebOrigin = z
  .string()
  .max(255)
  .refine(isWebOrigin, {
    error: 'expected an origin such as https://shop.example or http://localhost:5173, without a path',
  })
  .meta({ example: 'https://shop.example' });

function isWebOrigin(text: string): boolean {
  // Exact ones only: a pattern would let in whoever gets a name below it.
  if (text.includes('*') || !URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  const isOwnMachine = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && isOwnMachine));
}

export const AllowedOrigins = z
  .array(WebOrigin)
  .max(ORIGINS_MAX)
  .transform((origins) => [...new Set(origins)]);

const prefixes: Record<`${KeyAccess}:${KeyMode}`, string> = {
  'secret:live': 'nbt_live_',
  'secret:test': 'nbt_test_',
  'publishable:live': 'nbt_pub_live_',
  'publishable:test': 'nbt_pub_test_',
};

/** `nbt_live_…` with 32 characters or more of base64url behind it. */
export const ApiKeyText = z
  .string()
  .regex(/^nbt_(pub_)?(live|test)_[A-Za-z0-9_-]{16,128}$/, 'expected nbt_live_… or nbt_test_…');

/** Puts a key together from 24 random bytes in base64url. */
export function keyText(access: KeyAccess, mode: KeyMode, random: string): string {
  return `${prefixes[`${access}:${mode}`]}${random}`;
}

/** Reads a key's access and mode off its front. */
export function keyFront(key: string): { access: KeyAccess; mode: KeyMode } {
  return {
    access: key.startsWith('nbt_pub_') ? 'publishable' : 'secret',
    // Its front only: the random part may well spell the same.
    mode: /^nbt_(pub_)?test_/.test(key) ? 'test' : 'live',
  };
}

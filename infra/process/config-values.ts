import { isIP } from 'node:net';
import { z } from 'zod';
import { needsOf, type Product, products } from '../../domain/products.ts';
import { parseJson } from '../../domain/shared/json.ts';

/** Read for what the environment leaves unset, unless NAVBAT_ENV_FILE names another. */
export const ENV_FILE = '.env';
export const PORT_MAX = 65_535;
export const KEY_BYTES = 32;
/** No limit in effect: for a sandbox, or a Bot API server of one's own. */
export const MESSAGES_PER_SECOND_MAX = 100_000;
export const CHAT_GAP_MS_MAX = 60_000;

export const port = (value: number) => z.coerce.number().int().min(1).max(PORT_MAX).default(value);
export const urlOf = (protocol: RegExp, form: string) =>
  z.url({ protocol, error: `expected a URL that begins with ${form}` });
export const httpUrl = urlOf(/^https?$/, 'http:// or https://');
export const isLoopback = (hostname: string) =>
  hostname === 'localhost' || /^(127\.[\d.]+|\[::1\])$/.test(hostname);
/** WebAuthn §5.1.3: a site is named by a domain, never by an address, and browsers offer passkeys over TLS and on this machine alone. */
export const passkeyOrigin = z.string().refine(
  (text) => {
    const url = URL.parse(text);
    if (!url || url.origin !== text || isIP(url.hostname.replaceAll(/[[\]]/g, '')) !== 0) return false;
    return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === 'localhost');
  },
  {
    error:
      'expected https:// with a host name and no path, such as https://board.example.uz, or http://localhost with a port',
  },
);
export const base64urlBytes = (bytes: number) =>
  z.string().refine((text) => Buffer.from(text, 'base64url').length === bytes, {
    error: `expected ${bytes} bytes in base64url`,
  });

export interface KeyRing {
  /** New values are made with this one. */
  readonly current: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

export const keyRing = z.string().transform((text, ctx): KeyRing => {
  const pairs = text.split(',').map((pair) => pair.split(':', 2));
  const keys = new Map(pairs.map(([kid = '', key = '']) => [kid, Buffer.from(key, 'base64url')]));
  const [current] = keys.keys();
  if (!current || keys.has('') || [...keys.values()].some((key) => key.length !== KEY_BYTES))
    ctx.addIssue({
      code: 'custom',
      message: `expected kid:${KEY_BYTES} bytes in base64url, comma separated, the current one first`,
    });
  return { current: current ?? '', keys };
});

export const jwkText = z.string().transform((text, ctx) => {
  const parsed = z
    .object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      d: z.string(),
      kid: z.string(),
    })
    .safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({ code: 'custom', message: 'expected an Ed25519 private key as JSON Web Key with a kid' });
  return parsed.data ?? z.NEVER;
});

/** Keys that were before, or that come next: more than a few at once are a mistake. */
const PREVIOUS_KEYS_MAX = 8;

/** Public halves alone: a private key that is not in use has no business in the environment. */
export const publicJwks = z.string().transform((text, ctx) => {
  const parsed = z
    .array(
      z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: base64urlBytes(KEY_BYTES),
        kid: z.string().min(1),
        alg: z.literal('EdDSA').optional(),
        use: z.literal('sig').optional(),
      }),
    )
    .max(PREVIOUS_KEYS_MAX)
    .safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({
      code: 'custom',
      message: `expected a JSON array of up to ${PREVIOUS_KEYS_MAX} Ed25519 public keys as JSON Web Keys, each with a kid and without d`,
    });
  return parsed.data ?? z.NEVER;
});

export const productNames = z.string().transform((text, ctx): ReadonlySet<Product> => {
  const named = text.split(',').map((name) => name.trim());
  const known = products.filter((product) => named.includes(product));
  if (known.length < new Set(named).size)
    ctx.addIssue({ code: 'custom', message: `expected any of ${products.join(', ')}, comma separated` });
  for (const product of known)
    for (const need of needsOf(product).filter((each) => !known.includes(each)))
      ctx.addIssue({ code: 'custom', message: `expected ${need} too, which ${product} needs` });
  return new Set(known);
});

/** More than a handful each is a mistake: every one is held in memory. */
const FILES_MAX = 16;

export const paths = z.string().transform((text, ctx): readonly string[] => {
  const named = text.split(',').map((path) => path.trim());
  if (named.includes('') || named.length > FILES_MAX)
    ctx.addIssue({ code: 'custom', message: `expected up to ${FILES_MAX} paths, comma separated` });
  return named;
});

/** `name=path`, comma separated; one name may stand before many paths. */
export const namedPaths = z
  .string()
  .transform((text, ctx): readonly { readonly name: string; readonly path: string }[] => {
    const named = text.split(',').map((pair) => {
      const [name = '', ...path] = pair.trim().split('=');
      return { name, path: path.join('=') };
    });
    if (named.some(({ name, path }) => !name || !path) || named.length > FILES_MAX)
      ctx.addIssue({
        code: 'custom',
        message: `expected up to ${FILES_MAX} times name=path, comma separated, such as hosting=lists/hosting.txt`,
      });
    return named;
  });

export const jsonObject = z.string().transform((text, ctx) => {
  const parsed = z.record(z.string(), z.unknown()).safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({
      code: 'custom',
      message: 'expected a JSON object; in .env on one line, or in single quotes',
    });
  return parsed.data ?? z.NEVER;
});

export const jsonArray = z.string().transform((text, ctx) => {
  const parsed = z.array(z.unknown()).safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({
      code: 'custom',
      message: 'expected a JSON array; in .env on one line, or in single quotes',
    });
  return parsed.data ?? z.NEVER;
});

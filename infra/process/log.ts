import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
  pino,
  stdTimeFunctions,
} from 'pino';
import { maskPhone } from '../../domain/shared/phone.ts';

export type { Logger } from 'pino';

const CENSORED = '[redacted]';
/** Deeper than anything that we log on purpose; below it stands a mark, so that a cyclic object ends. */
const DEPTH_MAX = 6;

/** Names whose values never stand in a log line, at any depth, in camelCase, snake_case or as a header. */
const secretName =
  /(^|_)(authorization|cookie|otp|token|secret|password|passphrase|pepper|jwk|api_key|private_key|pan|pin)s?$|^(code|codes|code_entered|otp_code|verification_code|body|text|push_token_encrypted|code_keys|encryption_keys|service_account)$/;

/** What names cannot catch: secrets inside a sentence, such as a provider's error that repeats its request. */
const secretTexts: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/nbt_(?:pub_)?(?:live|test)_[A-Za-z0-9_-]+/g, CENSORED],
  // A session of staff's.
  [/nbs_[A-Za-z0-9_-]+/g, CENSORED],
  [/whsec_[A-Za-z0-9+/=_-]+/g, CENSORED],
  // A Telegram bot token; it stands in the path of every call to the Bot API.
  [/\d{6,12}:[A-Za-z0-9_-]{30,}/g, CENSORED],
  [/\b(?:Bearer|Basic)\s+[A-Za-z0-9+/=._~-]+/gi, CENSORED],
  // A JSON Web Token.
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g, CENSORED],
  // The password of a connection string.
  [/(?<=[a-z]+:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)/g, CENSORED],
  // E.164: a number is the person's, not the log's.
  [/(?:\+|%2B)[1-9]\d{7,14}\b/gi, (phone) => maskPhone(phone.replace(/^%2B/i, '+'))],
];

/** JSON lines on standard output, each safe to show to anyone who may read logs. A line of a request carries its `request_id`. */
export function openLog(name: string, level: string, destination?: DestinationStream): Logger {
  const log = pino(
    {
      name,
      level,
      timestamp: stdTimeFunctions.isoTime,
      // `formatters.log` has made each error plain by then.
      serializers: { err: (value: unknown) => value },
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => censored(fields, 0) as Record<string, unknown>,
      },
      hooks: { streamWrite: censorText },
    },
    ...(destination ? [destination] : []),
  );
  return censorChildren(log);
}

type MakeChild = (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger;

/** Pino formats the fields of the first logger only. A child has its parent as prototype, so that this reaches all of them. */
function censorChildren(log: Logger): Logger {
  const { child: makeChild } = log as unknown as { readonly child: MakeChild };
  const child: MakeChild = function (bindings, options) {
    return makeChild.call(this, censored(bindings, 0) as Bindings, options);
  };
  return Object.assign(log, { child });
}

/** Takes what looks like a secret or a phone number out of a text. */
export function censorText(text: string): string {
  return secretTexts.reduce((left, [pattern, put]) => left.replace(pattern, put as string), text);
}

function censored(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depth >= DEPTH_MAX) return '[deep]';
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => censored(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecret(key) ? CENSORED : censored(item, depth + 1)]),
  );
}

/**
 * Type, message, stack and cause only: libraries hang whole requests on their errors, with headers and bodies, and a
 * database driver the row at fault.
 */
function plainError(error: Error, depth: number): Record<string, unknown> {
  const fault = 'code' in error && typeof error.code === 'string' ? { fault: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: censored(error.cause, depth + 1) };
  return { type: error.name, message: error.message, ...fault, stack: error.stack, ...cause };
}

function isSecret(key: string): boolean {
  return secretName.test(
    key
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replaceAll('-', '_')
      .toLowerCase(),
  );
}

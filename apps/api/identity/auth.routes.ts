import { z } from 'zod';
import { DeviceId } from '../../../domain/identity/device/device.ts';
import { SignatureText } from '../../../domain/identity/device/public-key.ts';
import {
  type SignInDeps,
  signInWithDevice,
  signInWithTelegram,
  type TelegramRefusal,
} from '../../../domain/identity/session/sign-in.ts';
import { Problem } from '../../http/problem.ts';
import { defineOpenRoute, defineRoute, type Route, type RouteRequest } from '../../http/route.ts';
import { granted, signedIn } from '../../http/session-body.ts';
import { sessionEnded, sessionRoutes } from './sessions.routes.ts';
import { onceValid } from '../../../domain/shared/refine.ts';

const tag = 'Sign-in';

/** What Telegram signs has some eight fields, the longest a picture's address. */
const TELEGRAM_FIELDS_MAX = 32;
const TELEGRAM_FIELD_CHARS_MAX = 2_048;
/** Longer than any `initData`; a body ends at 64 kB. */
const INIT_DATA_CHARS_MAX = 8_192;
/** A refresh token has 70. */
const TOKEN_CHARS_MAX = 128;

/** The front doors that need no code: how a person proves who they are, and what they hold afterwards. */
export function authRoutes(deps: SignInDeps): Route[] {
  return [
    telegramRoute(deps, '/auth/telegram'),
    telegramRoute(deps, '/api/auth/telegram'),
    deviceRoute(deps),
    refreshRoute(deps),
    ...sessionRoutes(deps),
  ];
}

const visitorOf = ({
  caller,
  userAgent,
}: Pick<RouteRequest<unknown, unknown, unknown>, 'caller' | 'userAgent'>) => ({
  caller,
  // What a service's own program calls itself says nothing of its user.
  userAgent: caller.access === 'secret' ? null : userAgent,
});

const InitData = z.strictObject({
  init_data: z.string().max(INIT_DATA_CHARS_MAX).meta({ description: "A Mini App's `initData`, as it is." }),
});
const TelegramField = z.union([z.string().max(TELEGRAM_FIELD_CHARS_MAX), z.int()], {
  error: `expected a text of at most ${TELEGRAM_FIELD_CHARS_MAX} characters or an integer`,
});
const WidgetFields = z
  .object({
    id: TelegramField.meta({ example: 123456789 }),
    auth_date: TelegramField.meta({ example: 1767261600 }),
    hash: z.string().max(TELEGRAM_FIELD_CHARS_MAX),
  })
  .catchall(TelegramField)
  .refine((fields) => Object.keys(fields).length <= TELEGRAM_FIELDS_MAX, {
    ...onceValid,
    error: `expected at most ${TELEGRAM_FIELDS_MAX} fields`,
  })
  .meta({ description: "The Login widget's fields, all of them: each is signed." });

const telegramRoute = (deps: SignInDeps, path: '/auth/telegram' | '/api/auth/telegram') =>
  defineRoute({
    method: 'post',
    path,
    tag,
    summary: 'Sign in with Telegram',
    description:
      "What Telegram signed for this installation's bot: the Login widget's fields, or a Mini App's `initData`; at most 5 minutes old, usable once. It names no project, so that any site which a person gave it to could hand it on: it is taken only where the project setting `telegram_sign_in` says that the bot is this project's own (`not-enabled` elsewhere), and opens no session of Navbat's own app. 422: it proves nothing, `reason` says why.",
    scope: 'public',
    testKeys: 'apart',
    body: z.union([InitData, WidgetFields], {
      error:
        'expected {init_data} of a Mini App, or all fields of the Login widget: id, auth_date, hash and what came with them',
    }),
    answers: signedIn,
    problems: [422],
    async handle(request) {
      const answer = await signInWithTelegram(deps, visitorOf(request), signedText(request.body));
      if (answer.signedIn) return granted(answer.grant);
      throw new Problem(422, 'telegram-proof-refused', telegramWords[answer.because], {
        extra: { reason: answer.because },
      });
    },
  });

/** As Telegram itself writes signed fields. */
function signedText(body: z.infer<typeof InitData> | z.infer<typeof WidgetFields>): string {
  if ('init_data' in body) return String(body.init_data);
  const fields = Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]);
  return new URLSearchParams(fields).toString();
}

const telegramWords: Readonly<Record<TelegramRefusal, string>> = {
  malformed: 'This is not what Telegram signs.',
  signature: 'Telegram did not sign this for our bot, or a field was changed.',
  stale: 'Telegram signed this more than 5 minutes ago.',
  used: 'This was used before: sign in with Telegram again.',
  'no-bot': 'This installation has no Telegram bot.',
  'not-enabled':
    "This project's setting telegram_sign_in is off: the installation's bot signs people in for its own site or app alone.",
  'not-for-the-app': "What Telegram signs opens no session of Navbat's own app: sign in with a code.",
};

const deviceRoute = (deps: SignInDeps) =>
  defineOpenRoute({
    method: 'post',
    path: '/auth/device',
    tag,
    summary: 'Sign in with a bound device',
    description:
      "Opens a session of Navbat's own app. The signature is over the line `navbat-sign-in-v1`, a line feed and RFC 8785 JSON of `{device, at, nonce}`; `at` is within 60 seconds of our clock, and later than at the last sign-in.",
    because: "the device's signature is the proof.",
    body: z.strictObject({
      device_id: DeviceId,
      at: z.iso.datetime({ offset: true }).meta({ example: '2026-01-15T10:00:00.000Z' }),
      nonce: z
        .string()
        .regex(/^[A-Za-z0-9_-]{16,128}$/, 'expected 16 to 128 characters of base64url')
        .meta({ description: 'Random.', example: 'pYlVvQ0pX2l0m3Zt' }),
      signature: SignatureText,
    }),
    answers: signedIn,
    async handle({ body, userAgent }) {
      const { device_id: deviceId, at, nonce } = body;
      const signature = Buffer.from(body.signature, 'base64url');
      const answer = await signInWithDevice(deps, { deviceId, at, nonce, signature }, userAgent);
      if (answer.signedIn) return granted(answer.grant);
      // Unknown, revoked, forged and replayed read the same.
      throw sessionEnded('device-not-proven', 'This proves no device that is bound.');
    },
  });

const refreshRoute = (deps: SignInDeps) =>
  defineOpenRoute({
    method: 'post',
    path: '/auth/refresh',
    tag,
    summary: 'Exchange a refresh token for the next',
    description:
      'A refresh token works once. If the response was lost, send the same token again: for ten minutes (the life of an access token), and until the new token is used, you get the same new token. If the old token is sent after that, it is taken for a stolen copy, and the session ends. Keep the old token until the new one is stored.',
    because: 'the refresh token is the proof.',
    body: z.strictObject({ refresh_token: z.string().max(TOKEN_CHARS_MAX) }),
    answers: signedIn,
    async handle({ body }) {
      const answer = await deps.sessions.refresh(body.refresh_token, deps.now());
      if (answer.refreshed) return granted(answer.grant);
      throw answer.because === 'reused'
        ? sessionEnded(
            'refresh-token-reused',
            'This refresh token was used before, and its session has ended.',
          )
        : sessionEnded('session-ended', 'This session has ended: sign in again.');
    },
  });

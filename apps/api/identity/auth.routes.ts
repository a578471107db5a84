import { z } from 'zod';
import { DeviceId } from '../../../domain/identity/device/device.ts';
import { SignatureText } from '../../../domain/identity/device/public-key.ts';
import type { Grant } from '../../../domain/identity/session/sessions.ts';
import {
  SIGN_IN_PURPOSE,
  type SignInDeps,
  signInWithApproval,
  signInWithCode,
  signInWithDevice,
  signInWithTelegram,
  type TelegramRefusal,
} from '../../../domain/identity/session/sign-in.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { Channel } from '../../../domain/verify/channel.ts';
import { CheckRequest } from '../../../domain/verify/check.ts';
import { Client } from '../../../domain/verify/send-command.ts';
import { approvalSend, phoneProvingSend } from '../../../domain/verify/sign-in-sends.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { Problem } from '../../http/problem.ts';
import { limitCodes } from '../../http/rate-limit.ts';
import { defineOpenRoute, defineRoute, type Route, type RouteRequest } from '../../http/route.ts';
import { SessionBody, sessionBody } from './session-body.ts';
import {
  againToken,
  ask,
  type AskedDeps,
  checkAsked,
  shownToken,
  tokenFor,
  toldToken,
} from '../verify/asked-codes.ts';
import { checkCode, destinationOf, type OtpRouteDeps, phoneDestination } from '../verify/otp.routes.ts';
import { sessionEnded, sessionRoutes } from './sessions.routes.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import { Time } from '../../../domain/shared/time.ts';

/** The front doors: how a person proves who they are, and what they hold afterwards. */
export interface AuthDeps extends SignInDeps {
  /** Null where nothing sends codes: then they prove who they are by Telegram or a device. */
  readonly otp: (AskedDeps & Pick<OtpRouteDeps, 'phoneOf'>) | null;
}

interface CodeAuthDeps extends AuthDeps {
  readonly otp: NonNullable<AuthDeps['otp']>;
}

const tag = 'Sign-in';

/** What Telegram signs has some eight fields, the longest a picture's address. */
const TELEGRAM_FIELDS_MAX = 32;
const TELEGRAM_FIELD_CHARS_MAX = 2_048;
/** Longer than any `initData`; a body ends at 64 kB. */
const INIT_DATA_CHARS_MAX = 8_192;
/** A poll token has 64, a refresh token 70. */
const TOKEN_CHARS_MAX = 128;

const granted = (grant: Grant) => ({ status: 200, body: sessionBody(grant) });
const signedIn = { 200: { description: 'Signed in.', schema: SessionBody } } as const;

export function authRoutes(deps: AuthDeps): Route[] {
  return [
    telegramRoute(deps, '/auth/telegram'),
    telegramRoute(deps, '/api/auth/telegram'),
    ...(hasCodes(deps) ? codeRoutes(deps) : []),
    deviceRoute(deps),
    refreshRoute(deps),
    ...sessionRoutes(deps),
  ];
}

const hasCodes = (deps: AuthDeps): deps is CodeAuthDeps => deps.otp !== null;

const codeRoutes = (deps: CodeAuthDeps): Route[] => [
  codeRoute(deps),
  codeVerifyRoute(deps),
  approvalRoute(deps),
  approvalTokenRoute(deps),
];

type AppRequest = Pick<RouteRequest<unknown, unknown, unknown>, 'caller' | 'ip' | 'userAgent'>;

/**
 * Who sits in front of the app: as a service says, or as the app called us itself. Whoever holds an app's key could say anything,
 * to the person who is shown where they are asked from, and to those who count wrong codes by address.
 */
function clientOf({ caller, ip, userAgent }: AppRequest, said?: z.infer<typeof Client>) {
  if (caller.access === 'secret') return said ?? null;
  return { ip, ...(userAgent === null ? {} : { user_agent: userAgent }) };
}

const visitorOf = (request: AppRequest, said?: z.infer<typeof Client>) => ({
  caller: request.caller,
  userAgent: clientOf(request, said)?.user_agent ?? null,
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

const telegramRoute = (deps: AuthDeps, path: '/auth/telegram' | '/api/auth/telegram') =>
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

const codeRoute = (deps: CodeAuthDeps) =>
  defineRoute({
    method: 'post',
    path: '/auth/code',
    tag,
    summary: 'Send a sign-in code to a phone',
    description:
      'Like `POST /otp/send`, by channels that prove the phone: SMS or Telegram Gateway. With a publishable key, which anybody may have, each request has a code of its own: what others ask for this phone neither ends, resends nor uses up yours; keep its `check_token`. Whether anybody is known by this phone is not told.',
    scope: 'public',
    testKeys: 'apart',
    body: z.strictObject({
      phone: z.string().min(1).max(64).meta({ example: '+998901234567' }),
      locale: Locale.optional(),
      ...againToken,
    }),
    idempotent: true,
    answers: {
      202: {
        description: 'Committed, and on its way.',
        schema: z.object({
          id: z.uuid(),
          expires_at: Time,
          resend: z.boolean(),
          channels: z.array(Channel),
          ...toldToken,
        }),
      },
    },
    problems: [404, 409, 410, 422],
    async handle(request) {
      const { body, caller } = request;
      const { destination, phone } = phoneDestination(body.phone, '/phone');
      await limitCodes(request);
      const command = phoneProvingSend(caller, phone, SIGN_IN_PURPOSE, body.locale ?? null);
      const asked = { destination, command, token: body.check_token };
      const { id, expires_at, resend, channels, headers } = await send(deps, request, asked);
      const told = { id, expires_at, resend, channels, ...tokenFor(deps.otp, caller, id) };
      return { status: 202, body: told, headers };
    },
  });

/** Its timeline is for keys of another scope, so that it is not shown the way. */
async function send(
  deps: CodeAuthDeps,
  request: Parameters<typeof ask>[1],
  asked: Parameters<typeof ask>[2],
) {
  const { body, headers } = await ask(deps.otp, request, asked);
  const { Location: _elsewhere, ...replayed } = headers ?? {};
  return { ...Sent.parse(body), headers: replayed };
}
const Sent = z.object({
  id: z.uuid(),
  job_id: z.uuid(),
  expires_at: Time,
  resend: z.boolean(),
  channels: z.array(Channel),
  number: z.string().optional(),
});

const codeVerifyRoute = (deps: CodeAuthDeps) =>
  defineRoute({
    method: 'post',
    path: '/auth/code/verify',
    tag,
    summary: 'Sign in with a code',
    description:
      'As `POST /otp/verify`: 422 wrong, with the checks that remain; 410 closed, with the reason; 404 unknown; 429 locked or limited. With a publishable key, `check_token` is required.',
    scope: 'public',
    testKeys: 'apart',
    body: z.strictObject({
      id: z.uuid().meta({ description: 'The id that `POST /auth/code` answered.' }),
      code: CheckRequest.shape.code,
      ...shownToken,
      client: Client.optional().meta({
        description:
          'The end user, as your service saw them. Of an app we know ourselves where it calls from.',
      }),
    }),
    answers: signedIn,
    problems: [404, 410, 422],
    async handle(request) {
      const { client } = request.body;
      const guesser = clientOf(request, client)?.ip ?? null;
      const approved = await checkSignIn(deps, request.caller, guesser, request.body);
      const answer = await signInWithCode(deps, visitorOf(request, client), approved);
      if (answer.signedIn) return granted(answer.grant);
      throw new Problem(
        422,
        'phone-not-proven',
        'This code was also sent to where the project said, and so proves no phone.',
      );
    },
  });

/** A service checks what it asked for by its id; whoever has a key that anybody may have shows that they asked for it. */
function checkSignIn(
  deps: CodeAuthDeps,
  caller: Caller,
  client: string | null,
  { id, code, check_token: token }: { id: string; code: string; check_token?: string | undefined },
) {
  const purpose = SIGN_IN_PURPOSE;
  return caller.access === 'secret' && token === undefined
    ? checkCode(deps.otp, caller, client, { id, purpose, by: 'service' }, code)
    : checkAsked(deps.otp, caller, { client, token, id, purpose, code });
}

const ApprovalRequest = z.strictObject({
  to: z.string().min(1).max(64).meta({
    description: 'Phone in international form, or the `sub` of an earlier sign-in.',
    example: '+998901234567',
  }),
  client: Client.optional().meta({
    description:
      'The end user, as your service saw them: the person is shown where this comes from. Of an app we know ourselves.',
  }),
});

const approvalRoute = (deps: CodeAuthDeps) =>
  defineRoute({
    method: 'post',
    path: '/auth/approval',
    tag,
    summary: "Ask for an approval on the person's device",
    description:
      "Show `number`, which the person types in Navbat's app, and ask `POST /auth/approval/token` until they have. Whether there is a person or a device is not told: where there is none, nobody answers.",
    scope: 'public',
    testKeys: 'refused',
    body: ApprovalRequest,
    idempotent: true,
    answers: {
      202: {
        description: 'Committed.',
        schema: z.object({
          id: z.uuid(),
          number: z.string().meta({ description: 'Two digits.', example: '07' }),
          poll_token: z.string().meta({ description: 'For `POST /auth/approval/token`. Keep it.' }),
          expires_at: Time,
        }),
      },
    },
    problems: [404, 409, 422],
    async handle(request) {
      const { caller, body } = request;
      const { destination, phone } = await destinationOf(deps.otp, caller, body.to, '/to');
      const command = approvalSend(caller, phone, clientOf(request, body.client));
      await limitCodes(request);
      const asked = { destination, command, token: undefined };
      const { id, job_id, number, expires_at, headers } = await send(deps, request, asked);
      if (number === undefined) throw new Error('an approval was asked for and got no number');
      const poll_token = deps.proofs.pollTokenOf(job_id);
      return { status: 202, body: { id, number, poll_token, expires_at }, headers };
    },
  });

const approvalTokenRoute = (deps: CodeAuthDeps) =>
  defineRoute({
    method: 'post',
    path: '/auth/approval/token',
    tag,
    summary: 'Sign in with an approval',
    description:
      'Ask once a second. 202: not yet. 403: denied, which is told to secret keys alone, and of what they asked for themselves: with a publishable key, which anybody may have, a denial reads as no answer. 410: too late, or fetched before.',
    scope: 'public',
    testKeys: 'refused',
    body: z.strictObject({
      id: z.uuid(),
      poll_token: z.string().max(TOKEN_CHARS_MAX),
      client: Client.optional(),
    }),
    answers: {
      ...signedIn,
      202: {
        description: 'The person has not answered.',
        schema: z.object({ status: z.literal('pending') }),
      },
    },
    problems: [404, 410],
    async handle(request) {
      const { id, poll_token: pollToken, client } = request.body;
      const answer = await signInWithApproval(deps, visitorOf(request, client), { id, pollToken });
      if (answer.signedIn) return granted(answer.grant);
      if (answer.because === 'pending') return { status: 202, body: { status: 'pending' } };
      throw approvalProblems[answer.because]();
    },
  });

const approvalProblems = {
  unknown: () => new Problem(404, 'not-found', 'The project has no such approval.'),
  denied: () => new Problem(403, 'approval-denied', 'The person said no.'),
  closed: () =>
    new Problem(410, 'approval-closed', 'This approval was not given in time, or was used already.'),
} as const;

const deviceRoute = (deps: AuthDeps) =>
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

const refreshRoute = (deps: AuthDeps) =>
  defineOpenRoute({
    method: 'post',
    path: '/auth/refresh',
    tag,
    summary: 'Exchange a refresh token for the next',
    description:
      'A refresh token is good once. Where its answer was lost, ask again with the same token: until the new refresh token was used once, and for ten minutes (the life of an access token), the same successor comes back. Once the successor was used, or later, somebody holds a copy, and the session ends for all who do. Keep the old token until the new one is stored.',
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

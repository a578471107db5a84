import { z } from 'zod';
import type { TelegramLogin, UsedLogins } from '../../../domain/identity/registration/login.ts';
import type { RegisterAnswer, Registrar } from '../../../domain/identity/registration/registrar.ts';
import {
  expectedDigits,
  plainCode,
  TYPED_CHARACTERS_MAX,
  TYPED_CODE_NOTE,
} from '../../../domain/shared/typed-code.ts';
import {
  isRegistrationCode,
  REGISTRATION_CODE_DIGITS,
  TelegramId,
} from '../../../domain/identity/registration/user.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import type { ProofTokens } from '../../../domain/shared/proof-tokens.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Problem } from '../../http/problem.ts';
import { TelegramPhoneField } from '../../http/fields.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { shownToken, tokenFor, tokenMissing, toldToken } from '../../http/check-token.ts';
import { guesserOf } from '../../http/guesser.ts';
import type { CodeProblems } from './code-problems.ts';

/** The registration API of the fifth founding document (S4): its paths and bodies, over the same verifications. */
export interface RegistrationDeps {
  readonly registrar: Registrar;
  /** Null where this installation has no bot, whose token Telegram would have signed for. */
  readonly login: TelegramLogin | null;
  readonly usedLogins: UsedLogins;
  readonly checkTokens: ProofTokens;
  readonly problems: CodeProblems;
  readonly now: () => Date;
}

/** Longer than anything that Telegram signs; headers end at 8 kB. */
const SIGNED_CHARS_MAX = 4_096;

const tag = 'Telegram registration';
const telegram_id = TelegramId.meta({ example: 123456789 });

const RegisterRequest = z.strictObject({
  telegram_id,
  phone_number: TelegramPhoneField,
  telegram_auth: z
    .string()
    .max(SIGNED_CHARS_MAX)
    .optional()
    .meta({ description: 'In place of the header `X-Telegram-Auth`.' }),
});
const Registered = z.object({
  message: z.literal('Verification code sent'),
  id: z.uuid(),
  status_url: z.string(),
  expires_at: Time,
  ...toldToken,
});

export function registrationRoutes(deps: RegistrationDeps): Route[] {
  return [registerRoute(deps), verifyRoute(deps)];
}

const registerRoute = (deps: RegistrationDeps) =>
  defineRoute({
    method: 'post',
    path: '/register',
    tag,
    summary: 'Register a Telegram account and send it a code',
    description:
      'For a key of the scope `register`, which is a bot’s; with any other, `X-Telegram-Auth` must hold what Telegram signed for this very account: the fields of the Login widget or a Mini App’s `initData`, at most 5 minutes old, usable once. The code has 6 digits and lives 60 seconds. Asking again sends a new one; a verified account is refused with 409.',
    scope: 'public',
    testKeys: 'apart',
    telegramAuth: true,
    body: RegisterRequest,
    answers: {
      200: {
        description: 'Registered; the code is on its way to the chat.',
        schema: Registered,
      },
    },
    problems: [409, 422],
    async handle({ caller, body, telegramAuth, requestId }) {
      const { telegram_id: telegramId, phone_number: phone } = body;
      await requireProof(deps, caller, telegramId, body.telegram_auth ?? telegramAuth);
      // A number that is sent to us is a claim, whoever sends it; what proves one is the bot's contact.
      const order = { caller, telegramId, phone, proof: 'none', idempotency: null, requestId } as const;
      const answer = await deps.registrar.register(order);
      if (answer.kind === 'refused') throw deps.problems.notSent(answer);
      if (answer.kind !== 'sent')
        throw new Problem(409, 'already-verified', 'This Telegram account is already verified.');
      return { status: 200, body: registeredBody(deps, caller, answer) };
    },
  });

const registeredBody = (
  deps: RegistrationDeps,
  caller: Caller,
  { id, expiresAt }: Extract<RegisterAnswer, { kind: 'sent' }>,
) => ({
  message: 'Verification code sent',
  id,
  status_url: `/otp/${id}`,
  expires_at: expiresAt,
  ...tokenFor(deps, caller, id),
});

/** X16: who may say that this is somebody's Telegram account. */
async function requireProof(
  { login, usedLogins, now }: RegistrationDeps,
  caller: Caller,
  telegramId: number,
  signed: string | null,
): Promise<void> {
  if (caller.access === 'secret' && caller.scopes.includes('register')) return;
  if (signed === null)
    throw forbidden('This key does not have the scope register, and no X-Telegram-Auth was sent.');
  const read = login?.(signed, now());
  if (!read?.signed || read.telegramId !== telegramId)
    throw forbidden('X-Telegram-Auth does not prove this Telegram account, or is older than 5 minutes.');
  if (!(await usedLogins.use(read.hash, now())))
    throw forbidden('This X-Telegram-Auth was used before: each is good for one registration.');
}

const forbidden = (detail: string) => new Problem(403, 'insufficient-scope', detail);

/** One answer in the words of S4; what can be no code at all is told what was expected, and costs no check. */
function invalidCode(code: string): Problem {
  const errors = isRegistrationCode(code)
    ? undefined
    : [{ pointer: '/verification_code', detail: expectedDigits(REGISTRATION_CODE_DIGITS) }];
  return new Problem(400, 'invalid-code', 'Invalid or expired code', errors ? { errors } : {});
}

const verifyRoute = (deps: RegistrationDeps) =>
  defineRoute({
    method: 'post',
    path: '/verify',
    tag,
    summary: 'Confirm a registration with its code',
    description:
      'A wrong, an expired and a repeated code are one answer: 400. With a publishable key, which anybody may have, `check_token` is required: the one that `POST /register` answered.',
    scope: 'public',
    testKeys: 'apart',
    body: z.strictObject({
      telegram_id,
      verification_code: z.string().max(TYPED_CHARACTERS_MAX).transform(plainCode).meta({
        description: TYPED_CODE_NOTE,
        example: '348291',
      }),
      ...shownToken,
    }),
    answers: {
      200: {
        description: 'The account is verified.',
        schema: z.object({ message: z.literal('User successfully verified') }),
      },
    },
    async handle({ caller, body, ip }) {
      const answer = await deps.registrar.verify({
        caller,
        telegramId: body.telegram_id,
        code: body.verification_code,
        ...shownBy(deps, caller, body.check_token),
        guesser: guesserOf(caller, caller.access === 'publishable' ? ip : null),
      });
      if (answer.kind === 'refused') throw deps.problems.notRight(answer.why);
      if (answer.kind === 'wrong') throw invalidCode(body.verification_code);
      return { status: 200, body: { message: 'User successfully verified' } };
    },
  });

/** Whoever has a key that anybody may have shows that they registered this account. */
function shownBy({ checkTokens }: RegistrationDeps, { access }: Caller, token: string | undefined) {
  if (access === 'secret' && token === undefined) return {};
  if (token === undefined) throw tokenMissing();
  return { shownId: checkTokens.read(token) };
}

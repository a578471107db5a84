import { z } from 'zod';
import { base32, otpauthUri } from '../../domain/shared/otpauth.ts';
import { staffRoles } from '../../domain/staff/role.ts';
import { type OpenedSession, sessionVias, type StaffSessionView } from '../../domain/staff/session.ts';
import type { PasskeyRefusal } from '../../domain/staff/webauthn.ts';
import { ById } from '../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import {
  type Answer,
  defineOpenRoute,
  defineStaffSessionRoute,
  type DoorRoute,
  type StaffSessionRequest,
} from '../http/route.ts';
import {
  type Authentication,
  checkPassword,
  countLogin,
  EMAIL_CHARACTERS_MAX,
  factorWords,
  LOGIN_REFUSED,
  PASSWORD_CHARACTERS_MAX,
  SET_UP_MEANWHILE,
  showFactor,
  showPasskey,
} from './authentication.ts';
import { eitherFactor, factorFields, noEitherFactor } from './given-factor.ts';
import { AuthenticatorOptions, noPasskey, passkeyWords } from './passkey-words.ts';

const tag = 'Staff sessions';
const bearer = ['bearer'] as const;

const Token = z.object({
  token: z.string().meta({
    description: 'Shown this once. Send it as `Authorization: Bearer …`.',
    example: 'nbs_pYlVvQ0pX2l0m3ZtpYlVvQ0pX2l0m3ZtpYlVvQ0pX2k',
  }),
  token_type: z.literal('Bearer'),
  expires_at: z.date(),
});
const tokenBody = ({ token, expiresAt }: OpenedSession) =>
  ({ token, token_type: 'Bearer', expires_at: expiresAt }) as const;

/** `POST /staff/sessions` and its second factor: the login page, for programs. */
export function staffSessionRoutes(parts: Authentication): DoorRoute[] {
  return [
    logIn(parts),
    askPasskey(parts),
    passSecondFactor(parts),
    setUpSecondFactor(parts),
    list(parts),
    endThis(parts),
    end(parts),
  ];
}

const logIn = (parts: Authentication) =>
  defineOpenRoute({
    method: 'post',
    path: '/staff/sessions',
    tag,
    summary: 'Log in: the password',
    description:
      'Answers with a token that reaches the second factor and nothing else, for ten minutes. Ten tries a minute from one address, ' +
      'and five wrong ones in a row for one account, are counted together with those of the login page.',
    because: 'it is the login',
    body: z.object({
      email: z
        .string()
        .max(EMAIL_CHARACTERS_MAX)
        .meta({ description: 'Of a login that `navbat staff create` made.' }),
      password: z.string().max(PASSWORD_CHARACTERS_MAX).meta({ description: 'Its password.' }),
    }),
    answers: {
      201: {
        description: 'The password is right: show the second factor with this token.',
        schema: Token.extend({
          second_factor: z.enum(['code', 'set-up']).meta({
            description: 'What is next: a code, or the set-up where the login has no second factor yet.',
          }),
        }),
      },
    },
    async handle({ body, ip }) {
      await countLogin(parts, 'password', ip);
      const login = await checkPassword(parts, body, { address: ip, browser: null, via: 'bearer' });
      if (login.kind === 'refused') throw new Problem(401, 'login-refused', LOGIN_REFUSED);
      const { id } = login.staff;
      const opened = await parts.sessions.open(id, 'bearer', parts.clock());
      const isSetUp = (await parts.secondFactors.stateOf(id)) !== null;
      return { status: 201, body: { ...tokenBody(opened), second_factor: isSetUp ? 'code' : 'set-up' } };
    },
  });

const StaffBody = z.object({
  id: z.uuid(),
  email: z.string().meta({ description: 'By which they log in.' }),
  role: z.enum(staffRoles).meta({ description: 'What they may do goes by it.' }),
});

const GivenFactor = z
  .object(factorFields('Six digits of the authenticator, or a recovery code; or `passkey`.'))
  .refine(eitherFactor, noEitherFactor());

const askPasskey = ({ passkeyLogins, clock }: Authentication) =>
  defineStaffSessionRoute({
    method: 'post',
    path: '/staff/sessions/second-factor/options',
    tag,
    summary: 'Log in: ask a passkey',
    description:
      'Options for `navigator.credentials.get()`, for a login that has a passkey. They are answered once, within five minutes, by ' +
      '`POST /staff/sessions/second-factor`.',
    extent: 'pending-2fa',
    credentials: bearer,
    answers: { 200: { description: 'What to ask the authenticator.', schema: AuthenticatorOptions } },
    problems: [409],
    async handle({ session }) {
      const options = await passkeyLogins.options(session.token, clock());
      if (!options) throw noPasskey();
      return { status: 200, body: { options } };
    },
  });

const passSecondFactor = (parts: Authentication) =>
  defineStaffSessionRoute({
    method: 'post',
    path: '/staff/sessions/second-factor',
    tag,
    summary: 'Log in: the second factor',
    description:
      'Takes the token of `POST /staff/sessions`, which ends with it, and answers with the token of the full session. Each code ' +
      'passes once: for another session wait for the next one.',
    extent: 'pending-2fa',
    credentials: bearer,
    body: GivenFactor,
    answers: {
      201: {
        description: 'Logged in.',
        schema: Token.extend({
          staff: StaffBody.meta({ description: 'Whose session it is, with the role of now.' }),
          recovery_codes_left: z
            .int()
            .meta({ description: 'Each opens one login without the authenticator.' }),
          recovery_codes: z.array(z.string()).optional().meta({
            description:
              'After the set-up alone, and shown this once: keep them away from the authenticator.',
          }),
        }),
      },
    },
    handle: (request) => settleFactor(parts, request),
  });

type FactorRequest = StaffSessionRequest<unknown, unknown, z.infer<typeof GivenFactor>>;

async function settleFactor(parts: Authentication, { session, body, ip }: FactorRequest): Promise<Answer> {
  await countLogin(parts, 'second-factor', ip);
  const from = { address: ip, browser: null, via: 'bearer' } as const;
  const { id, email, role } = session.staff;
  const answer = (opened: OpenedSession, more: object) => ({
    status: 201,
    body: { ...tokenBody(opened), staff: { id, email, role }, ...more },
  });
  if (body.passkey) {
    const passed = await showPasskey(parts, session, body.passkey, from);
    if (!passed.passed) throw factorProblem(passed.reason);
    const state = await parts.secondFactors.stateOf(id);
    return answer(passed.session, { recovery_codes_left: state?.recoveryCodesLeft ?? 0 });
  }
  const shown = await showFactor(parts, session, body.code ?? '', from);
  if (!shown.result.passed) throw factorProblem(shown.result.reason);
  if (shown.kind === 'set-up') {
    const { session: opened, recoveryCodes } = shown.result;
    return answer(opened, { recovery_codes_left: recoveryCodes.length, recovery_codes: recoveryCodes });
  }
  return answer(shown.result.session, { recovery_codes_left: shown.result.recoveryCodesLeft });
}

function factorProblem(reason: keyof typeof factorWords | PasskeyRefusal | 'already' | 'gone'): Problem {
  if (reason === 'gone')
    return new Problem(401, 'unauthenticated', 'This session has ended. Log in by POST /staff/sessions.');
  if (reason in passkeyWords)
    return new Problem(401, 'passkey-refused', passkeyWords[reason as PasskeyRefusal]);
  const words = reason === 'already' ? SET_UP_MEANWHILE : factorWords[reason as keyof typeof factorWords];
  return new Problem(401, 'second-factor-refused', words);
}

const setUpSecondFactor = (parts: Authentication) =>
  defineStaffSessionRoute({
    method: 'post',
    path: '/staff/sessions/second-factor/set-up',
    tag,
    summary: 'Set up the first second factor',
    description:
      'For a login that has none: gives the secret of a TOTP (RFC 6238, six digits, 30 s). It counts once a code of it was sent to ' +
      '`POST /staff/sessions/second-factor`, within the life of this token; until then each call answers with the same.',
    extent: 'pending-2fa',
    credentials: bearer,
    answers: {
      200: {
        description: 'What to put into the authenticator.',
        schema: z.object({
          secret: z.string().meta({ description: 'Base32.' }),
          uri: z.string().meta({ description: '`otpauth://…`, as a QR code holds it.' }),
        }),
      },
    },
    problems: [409],
    async handle({ session }) {
      const secret = await parts.secondFactors.offer(session.token, parts.clock());
      if (!secret)
        throw new Problem(
          409,
          'second-factor-exists',
          'This login has a second factor already: send its code.',
        );
      return { status: 200, body: { secret: base32(secret), uri: otpauthUri(session.staff.email, secret) } };
    },
  });

const SessionRow = z
  .object({
    id: z.uuid(),
    via: z.enum(sessionVias).meta({ description: "How it is shown: the board's cookie, or a bearer token." }),
    extent: z.enum(['pending-2fa', 'full']).meta({
      description:
        '`pending-2fa` has shown a password only. If that was not you, somebody knows your password.',
    }),
    current: z.boolean().meta({ description: 'Whether it is the one that asks.' }),
    created_at: z.date(),
    expires_at: z.date(),
  })
  .meta({ id: 'StaffSession' });

const sessionRow =
  (currentId: string) =>
  ({ id, via, extent, createdAt, expiresAt }: StaffSessionView) => ({
    id,
    via,
    extent,
    current: id === currentId,
    created_at: createdAt,
    expires_at: expiresAt,
  });

const list = (parts: Authentication) =>
  defineStaffSessionRoute({
    method: 'get',
    path: '/staff/sessions',
    tag,
    summary: 'Your sessions',
    description: 'Those that have not ended, newest first: of programs and of browsers.',
    extent: 'full',
    credentials: sessionVias,
    query: z.object(pageQuery),
    answers: { 200: { description: 'A page of them.', schema: pageSchema(SessionRow) } },
    async handle({ query, staff, session, now }) {
      const page = await parts.sessions.list(staff.id, pageOrder(query), now);
      return { status: 200, body: pageBody(page, sessionRow(session.id)) };
    },
  });

const ended = { 204: { description: 'It has ended.', schema: z.undefined() } } as const;

const endThis = (parts: Authentication) =>
  defineStaffSessionRoute({
    method: 'delete',
    path: '/staff/sessions/current',
    tag,
    summary: 'Log out',
    description: 'Ends the session that asks, before its second factor too.',
    extent: 'either',
    credentials: sessionVias,
    answers: ended,
    handle: (request) => close(parts, request, request.session.id),
  });

const end = (parts: Authentication) =>
  defineStaffSessionRoute({
    method: 'delete',
    path: '/staff/sessions/{id}',
    tag,
    summary: 'End one of your sessions',
    extent: 'full',
    credentials: sessionVias,
    params: ById,
    answers: ended,
    problems: [404],
    handle: (request) => close(parts, request, request.params.id),
  });

async function close(
  parts: Authentication,
  { staff }: Pick<StaffSessionRequest<unknown, unknown, unknown>, 'staff'>,
  id: string,
): Promise<Answer> {
  const detail = { outcome: 'done', session: id, via: staff.via };
  const isClosed = await parts.sessions.closeById(staff.id, id, (closed) =>
    closed ? [{ by: staff, action: 'logout', subject: staff.email, detail }] : [],
  );
  if (!isClosed) throw new Problem(404, 'not-found', 'You have no such session.');
  return { status: 204, body: undefined };
}

import { z } from 'zod';
import {
  type CodeSignInDeps,
  SIGN_IN_PURPOSE,
  signInWithApproval,
  signInWithCode,
} from '../../../domain/identity/session/port.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Channel } from '../../../domain/verify/channel.ts';
import { CheckRequest } from '../../../domain/verify/check.ts';
import { Client } from '../../../domain/verify/send-command.ts';
import { approvalSend, phoneProvingSend } from '../../../domain/verify/sign-in-sends.ts';
import { shownToken, tokenFor, toldToken } from '../../http/check-token.ts';
import { Problem } from '../../http/problem.ts';
import { limitCodes } from '../../http/rate-limit.ts';
import { defineRoute, type Route, type RouteRequest } from '../../http/route.ts';
import { granted, signedIn } from '../../http/session-body.ts';
import { againToken, ask, type AskedDeps, checkAsked } from './asked-codes.ts';
import { checkCode, destinationOf, type OtpRouteDeps, phoneDestination } from './otp.routes.ts';

/** The front doors that a code, or an approval on a device, opens. */
export interface SignInRouteDeps extends CodeSignInDeps {
  readonly otp: AskedDeps & Pick<OtpRouteDeps, 'phoneOf'>;
}

const tag = 'Sign-in';

/** A poll token has 64. */
const TOKEN_CHARS_MAX = 128;

export const signInRoutes = (deps: SignInRouteDeps): Route[] => [
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

const codeRoute = (deps: SignInRouteDeps) =>
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
  deps: SignInRouteDeps,
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

const codeVerifyRoute = (deps: SignInRouteDeps) =>
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
  deps: SignInRouteDeps,
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

const approvalRoute = (deps: SignInRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/auth/approval',
    tag,
    summary: "Ask for an approval on the person's device",
    description:
      "Show `number`, which the person types in Navbat's app, and ask `POST /auth/approval/token` until they have. The answer does not show whether there is a person or a device: if there is none, nobody answers.",
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

const approvalTokenRoute = (deps: SignInRouteDeps) =>
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

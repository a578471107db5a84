import { z } from 'zod';
import type { AccessTokens, PhoneUsers } from '../../../domain/identity/person/port.ts';
import { CheckRequest } from '../../../domain/verify/check.ts';
import { VerificationState } from '../../../domain/verify/verification.ts';
import { jobStates } from '../../../domain/job/job.ts';
import { ownSend, type SendCommand } from '../../../domain/verify/send-command.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { Time } from '../../../domain/shared/time.ts';
import { limitCodes } from '../../http/rate-limit.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { shownToken, tokenFor, toldToken } from '../../http/check-token.ts';
import { againToken, ask, type AskedDeps, checkAsked } from './asked-codes.ts';
import { checkCode, type OtpRouteDeps, phoneDestination } from './otp.routes.ts';
import { checkProblem } from './otp-problems.ts';
import { ById } from '../../http/by-id.ts';

/** The phone API of the fourth founding document (S3): its paths and bodies, over the same verifications. */
export interface PhoneOtpDeps extends OtpRouteDeps, AskedDeps {
  readonly users: PhoneUsers;
  readonly tokens: AccessTokens;
}

/** Its callers are phones that log in: codes of this purpose serve nothing else. */
const PURPOSE = 'phone-login';

const Phone = z.string().min(1).max(32).meta({ example: '+998901234567' });

export function phoneOtpRoutes(deps: PhoneOtpDeps): Route[] {
  return [sendRoute(deps), statusRoute(deps), verifyRoute(deps)];
}

const sendRoute = (deps: PhoneOtpDeps) =>
  defineRoute({
    method: 'post',
    path: '/api/send-otp/',
    tag: 'Phone API',
    summary: 'Send a code by SMS',
    description:
      'Registration and login by phone number. The delivery is queued: `status_url` tells how it went. With a secret key, asking again for the same phone is a resend of its code. With a publishable key, which anybody may have, each request has a code of its own, and the answer carries the `check_token` with which it is checked or sent again.',
    scope: 'public',
    testKeys: 'apart',
    body: z.strictObject({ phone: Phone, ...againToken }),
    idempotent: true,
    answers: {
      200: {
        description: 'Committed, and on its way.',
        schema: z.object({
          message: z.literal('OTP sent successfully'),
          id: z.uuid(),
          status_url: z.string(),
          ...toldToken,
        }),
      },
    },
    problems: [404, 409, 410, 422],
    async handle(request) {
      const { destination, phone } = phoneDestination(request.body.phone, '/phone');
      await limitCodes(request);
      const { caller } = request;
      const command = loginCommand(caller, phone);
      const asked = { destination, command, token: request.body.check_token };
      const { body, headers } = await ask(deps, request, asked);
      const { id } = body as { id: string };
      const status_url = statusUrlOf(caller, id);
      return {
        status: 200,
        body: { message: 'OTP sent successfully', id, status_url, ...tokenFor(deps, caller, id) },
        headers: { ...headers, Location: status_url },
      };
    },
  });

/** The whole history is for services that hold the scope of it; an app asks how its own code stands. */
const statusUrlOf = ({ access, scopes }: Caller, id: string): string =>
  access === 'secret' && scopes.includes('otp') ? `/otp/${id}` : `/api/send-otp/${id}`;

const statusRoute = (deps: PhoneOtpDeps) =>
  defineRoute({
    method: 'get',
    path: '/api/send-otp/{id}',
    tag: 'Phone API',
    summary: 'How a code of the phone API stands',
    description: 'The `status_url` of keys without the scope `otp`. It shows neither the phone nor the code.',
    scope: 'public',
    testKeys: 'apart',
    params: ById,
    answers: {
      200: {
        description: 'The state of the code, and of its latest delivery.',
        schema: z.object({
          id: z.uuid(),
          status: VerificationState,
          delivery: z
            .enum(jobStates)
            .nullable()
            .meta({ description: 'How the job of its latest send stands.' }),
          expires_at: Time,
        }),
      },
    },
    problems: [404],
    async handle({ params, caller }) {
      const timeline = await deps.verifications.timeline(caller.projectId, caller.mode, params.id);
      if (timeline?.verification.purpose !== PURPOSE) throw checkProblem({ kind: 'unknown' });
      const { id, state, expiresAt } = timeline.verification;
      const delivery = timeline.jobs.at(-1)?.state ?? null;
      return { status: 200, body: { id, status: state, delivery, expires_at: expiresAt.toISOString() } };
    },
  });

const loginCommand = ({ mode }: Caller, phone: SendCommand['phone']): SendCommand =>
  ownSend({ phone, mode, channels: ['sms'], purpose: PURPOSE, checkByTo: true });

const verifyRoute = (deps: PhoneOtpDeps) =>
  defineRoute({
    method: 'post',
    path: '/api/verify-otp/',
    tag: 'Phone API',
    summary: 'Check a code and log in',
    description:
      'With a secret key, `phone` and `otp` are all there is to say. With a publishable key, `check_token` is required: the one that the send answered. The token of the answer is a JWT (EdDSA) that lives an hour.',
    scope: 'public',
    testKeys: 'apart',
    body: z.strictObject({ phone: Phone, otp: CheckRequest.shape.code, ...shownToken }),
    answers: {
      200: {
        description: 'The code is right: the phone is registered and logged in.',
        schema: z.object({ message: z.literal('OTP verified successfully'), token: z.string() }),
      },
    },
    problems: [404, 410, 422],
    async handle({ body, caller, ip, now }) {
      const { phone } = phoneDestination(body.phone, '/phone');
      await checkLogin(deps, caller, ip, phone.e164, body);
      const user = await deps.users.login(caller.projectId, caller.mode, phone.e164, now);
      return {
        status: 200,
        body: {
          message: 'OTP verified successfully',
          token: await deps.tokens.issue(user, caller.projectId, caller.mode, now),
        },
      };
    },
  });

/** A service checks by the phone; whoever has a key that anybody may have, by the token of what they asked for. */
async function checkLogin(
  deps: PhoneOtpDeps,
  caller: Caller,
  ip: string,
  phone: string,
  { otp, check_token: token }: { readonly otp: string; readonly check_token?: string | undefined },
): Promise<void> {
  const client = caller.access === 'publishable' ? ip : null;
  if (caller.access === 'secret' && token === undefined) {
    await checkCode(deps, caller, client, { destination: { phone }, purpose: PURPOSE }, otp);
    return;
  }
  const shown = { client, token, id: null, purpose: PURPOSE, code: otp };
  const approved = await checkAsked(deps, caller, shown);
  // The code of one phone logs nobody in with another.
  if (approved.phone !== phone) throw checkProblem({ kind: 'incorrect', remaining: null });
}

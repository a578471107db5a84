import { z } from 'zod';
import type { AccessTokens, PhoneUsers } from '../../../domain/identity/phone-user.ts';
import { CheckRequest } from '../../../domain/otp/check.ts';
import { ownSend, type SendCommand } from '../../../domain/otp/send.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { limitCodes } from '../rate-limit.ts';
import { defineRoute, type Route } from '../route.ts';
import {
  againToken,
  ask,
  type AskedDeps,
  checkAsked,
  shownToken,
  tokenFor,
  toldToken,
} from './asked-codes.ts';
import { checkCode, type OtpRouteDeps, phoneDestination } from './otp.ts';
import { checkProblem } from './otp-problems.ts';

/** The phone API of the fourth founding document (S3): its paths and bodies, over the same verifications. */
export interface PhoneOtpDeps extends OtpRouteDeps, AskedDeps {
  readonly users: PhoneUsers;
  readonly tokens: AccessTokens;
}

/** Its callers are phones that log in: codes of this purpose serve nothing else. */
const PURPOSE = 'phone-login';

const Phone = z.string().min(1).max(32).meta({ example: '+998901234567' });

export function phoneOtpRoutes(deps: PhoneOtpDeps): Route[] {
  return [sendRoute(deps), verifyRoute(deps)];
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
      const { id, status_url } = body as { id: string; status_url: string };
      return {
        status: 200,
        body: { message: 'OTP sent successfully', id, status_url, ...tokenFor(deps, caller, id) },
        ...(headers ? { headers } : {}),
      };
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
    async handle({ body, caller, ip }) {
      const { phone } = phoneDestination(body.phone, '/phone');
      await checkLogin(deps, caller, ip, phone.e164, body);
      const now = new Date();
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
  if (approved.phone !== phone) throw checkProblem({ result: 'incorrect', remaining: null });
}

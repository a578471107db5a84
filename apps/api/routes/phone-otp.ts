import { z } from 'zod';
import type { AccessTokens, PhoneUsers } from '../../../domain/identity/phone-user.ts';
import { CheckRequest } from '../../../domain/otp/check.ts';
import { ownSend, type SendCommand } from '../../../domain/otp/send.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { limitCodes } from '../rate-limit.ts';
import { defineRoute, type Route } from '../route.ts';
import { accept, checkCode, type OtpRouteDeps, phoneDestination } from './otp.ts';

/** The phone API of the fourth founding document (S3): its paths and bodies, over the same verifications. */
export interface PhoneOtpDeps extends OtpRouteDeps {
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
      'Registration and login by phone number. The delivery is queued: `status_url` tells how it went.',
    scope: 'public',
    testKeys: 'apart',
    body: z.strictObject({ phone: Phone }),
    idempotent: true,
    answers: {
      200: {
        description: 'Committed, and on its way.',
        schema: z.object({
          message: z.literal('OTP sent successfully'),
          id: z.uuid(),
          status_url: z.string(),
        }),
      },
    },
    problems: [409, 422],
    async handle(request) {
      const { destination, phone } = phoneDestination(request.body.phone, '/phone');
      await limitCodes(request);
      const { body, headers } = await accept(deps, request, destination, loginCommand(request.caller, phone));
      const { id, status_url } = body as { id: string; status_url: string };
      return {
        status: 200,
        body: { message: 'OTP sent successfully', id, status_url },
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
    description: 'The token is a JWT (EdDSA) that lives an hour.',
    scope: 'public',
    testKeys: 'apart',
    body: z.strictObject({ phone: Phone, otp: CheckRequest.shape.code }),
    answers: {
      200: {
        description: 'The code is right: the phone is registered and logged in.',
        schema: z.object({ message: z.literal('OTP verified successfully'), token: z.string() }),
      },
    },
    problems: [422],
    async handle({ body, caller, ip }) {
      const { destination, phone } = phoneDestination(body.phone, '/phone');
      const client = caller.access === 'publishable' ? ip : null;
      await checkCode(deps, caller, client, { destination, purpose: PURPOSE }, body.otp);
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

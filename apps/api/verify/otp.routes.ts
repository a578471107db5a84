import { z } from 'zod';
import { CheckRequest, type CheckResult } from '../../../domain/verify/check.ts';
import type { Checks, ResendFacts } from '../../../domain/verify/checks.ts';
import { type Asker, SERVICE } from '../../../domain/verify/asker.ts';
import { Channel } from '../../../domain/verify/channel.ts';
import type { FailedAttemptLimiter } from '../../../domain/shared/failed-attempt-limiter.ts';
import { checkGuarded } from '../../../domain/verify/guarded-check.ts';
import type { Destination } from '../../../domain/shared/address.ts';
import type { OtpIntake } from '../../../domain/verify/intake.ts';
import { knownPhone, type PhoneFacts, phoneFault, readPhone } from '../../../domain/shared/phone.ts';
import type { VerificationId } from '../../../domain/shared/ids.ts';
import {
  CODE_DIGITS_DEFAULT,
  PURPOSE_DEFAULT,
  type SendCommand,
  SendRequest,
  TTL_SECONDS_DEFAULT,
} from '../../../domain/verify/send-command.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { netsOf } from '../../../domain/shared/ip-address.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Problem } from '../../http/problem.ts';
import { guesserOf } from '../../http/guesser.ts';
import { checkUrl } from '../../http/fields.ts';
import { idempotencyOf, type IdempotentRequest } from '../../http/idempotency.ts';
import { type Answer, defineRoute, type Route, type RouteRequest } from '../../http/route.ts';
import { checkProblem, notAccepted, unknownRecipient } from './otp-problems.ts';
import { type TimelineDeps, timelineRoute } from './otp-response.ts';
import { ById } from '../../http/by-id.ts';

export interface OtpRouteDeps extends TimelineDeps {
  readonly intake: OtpIntake;
  readonly checks: Checks;
  readonly failures: FailedAttemptLimiter;
  /** What is wrong with a URL that a customer gives, or null. */
  readonly urlFault: (url: string) => string | null;
  /** A recipient of the project: its phone, or null where it has none; undefined where there is no such recipient. */
  readonly phoneOf: (
    projectId: Caller['projectId'],
    recipientId: string,
  ) => Promise<string | null | undefined>;
}

const Accepted = z.object({
  id: z.uuid().meta({ description: 'The verification: check codes against it.' }),
  job_id: z.uuid(),
  status_url: z.string(),
  expires_at: Time,
  resend: z.boolean().meta({ description: 'This code had been sent before, or replaces one that had.' }),
  number: z.string().optional().meta({
    description:
      'Two digits, wherever a push was asked for with a live key. Show them: a person with Navbat’s app types them there to approve.',
    example: '07',
  }),
  channels: z
    .array(Channel)
    .readonly()
    .meta({ description: 'The channels that can reach this recipient, in order.' }),
});

const Empty = z.strictObject({}).optional();

export function otpRoutes(deps: OtpRouteDeps): Route[] {
  return [sendRoute(deps), verifyRoute(deps), timelineRoute(deps), resendRoute(deps), cancelRoute(deps)];
}

const sendRoute = (deps: OtpRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/otp/send',
    tag: 'One-time codes',
    summary: 'Send a one-time code',
    description:
      'Answers immediately: 202 means that the send is committed. Asking again for the same recipient and purpose while a code lives is a resend of it, after 30, 60, then 120 seconds; where `push` is named it cancels that verification and begins another, so that an approval lets in only the caller that asked for it.',
    scope: 'otp',
    testKeys: 'apart',
    body: SendRequest,
    idempotent: true,
    answers: { 202: { description: 'Committed, and on its way.', schema: Accepted } },
    problems: [404, 409, 422],
    async handle(request) {
      checkUrl(deps.urlFault, request.body.callback_url, '/callback_url');
      const { destination, phone } = await destinationOf(deps, request.caller, request.body.to, '/to');
      return accept(deps, request, destination, commandOf(request.body, request.caller, phone));
    },
  });

function commandOf(body: SendRequest, caller: Caller, phone: SendCommand['phone']): SendCommand {
  return {
    phone,
    mode: caller.mode,
    channels: [...new Set(body.channels ?? caller.settings.channels)],
    ...(body.channels ? {} : { channelsByDefault: true }),
    purpose: body.purpose ?? PURPOSE_DEFAULT,
    ...(body.payment ? { payment: body.payment } : {}),
    length: body.length ?? CODE_DIGITS_DEFAULT,
    ttlSeconds: body.ttl_seconds ?? TTL_SECONDS_DEFAULT,
    locale: body.locale ?? null,
    onResend: body.on_resend ?? 'reuse',
    checkByTo: body.allow_verify_by_to ?? false,
    client: body.client ?? null,
    metadata: body.metadata ?? null,
    callbackUrl: body.callback_url === undefined ? null : new URL(body.callback_url).href,
  };
}

/** A phone in international form, or the id of one of the project's recipients. */
export async function destinationOf(
  deps: Pick<OtpRouteDeps, 'phoneOf'>,
  caller: Caller,
  to: string,
  pointer: string,
): Promise<{ destination: Destination; phone: SendCommand['phone'] }> {
  if (!z.uuid().safeParse(to).success) return phoneDestination(to, pointer, ', or the id of a recipient');
  const recipientPhone = await deps.phoneOf(caller.projectId, to);
  if (recipientPhone === undefined) throw unknownRecipient();
  if (recipientPhone === null) return { destination: { recipientId: to }, phone: null };
  return { destination: { phone: recipientPhone }, phone: knownPhone(recipientPhone) };
}

/** @throws Problem 400 where it is no phone in international form. */
export function phoneDestination(
  to: string,
  pointer: string,
  orElse = '',
): { destination: Destination; phone: PhoneFacts } {
  const read = readPhone(to);
  if (read.ok) return { destination: { phone: read.phone.e164 }, phone: read.phone };
  throw new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
    errors: [{ pointer, detail: phoneFault(read, orElse) }],
  });
}

/** With IPv6 the /48: whoever has one would else have as many good names as it has blocks. */
const widestNet = (ip: string) => netsOf(ip).at(-1)?.subject ?? '';

const askerOf = ({ caller, ip }: Pick<IdempotentRequest, 'caller' | 'ip'>): Asker =>
  caller.access === 'secret' ? SERVICE : { kind: 'stranger', from: widestNet(ip) };

/** Commits the send and answers 202, or says why not. */
export async function accept(
  deps: Pick<OtpRouteDeps, 'intake' | 'verifications'>,
  request: IdempotentRequest & Pick<RouteRequest<unknown, unknown, unknown>, 'requestId' | 'now'>,
  destination: Destination,
  command: SendCommand,
  resend: Resend | null = null,
): Promise<Answer> {
  const { caller, requestId, now } = request;
  // A resend's command is made of what the verification has become: only what was asked for can be compared.
  const idempotency = idempotencyOf(request, resend ?? { destination, command });
  const resendOf = resend === null ? {} : { resendOf: resend.of };
  const answer = await deps.intake.accept({
    caller,
    command,
    asker: askerOf(request),
    destination,
    idempotency,
    requestId,
    ...resendOf,
  });
  const replayed = answer.replayed ? { 'Idempotent-Replayed': 'true' } : {};
  if (answer.kind === 'closed') throw await closedProblem(deps, caller, resend?.of);
  if (answer.kind !== 'accepted') throw notAccepted(answer, replayed, now);

  const { id, jobId, expiresAt, channels, number } = answer;
  const statusUrl = `/otp/${id}`;
  const body = {
    id,
    job_id: jobId,
    status_url: statusUrl,
    expires_at: expiresAt,
    resend: answer.resend,
    channels,
    ...(number === null ? {} : { number }),
  } satisfies z.infer<typeof Accepted>;
  return { status: 202, body, headers: { Location: statusUrl, ...replayed } };
}

/** Which verification is sent again, and what was asked for. */
interface Resend {
  readonly of: VerificationId;
  readonly body: object;
}

async function closedProblem(
  { verifications }: Pick<OtpRouteDeps, 'verifications'>,
  { projectId, mode }: Caller,
  id: VerificationId | undefined,
): Promise<Problem> {
  const timeline = id === undefined ? null : await verifications.timeline(projectId, mode, id);
  const state = timeline?.verification.state ?? 'expired';
  // Live, yet not found so: it has run out of time between the two looks.
  return checkProblem({ kind: 'closed', reason: closedReasonOf[state === 'live' ? 'expired' : state] });
}

/** The same for everybody: it must not tell whether this person has a device. */
const Approved = z.object({ id: z.uuid(), status: z.literal('approved'), purpose: z.string() });

const verifyRoute = (deps: OtpRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/otp/verify',
    tag: 'One-time codes',
    summary: 'Check a one-time code',
    description:
      'Takes the code that was sent and, where the send named `totp`, that of a device which the person has bound. Only 200 means approved. 422: wrong, with the checks that remain. 410: closed, with the reason. 404: unknown. 429: locked or limited. By `to`, every code that is not approved is a 422 without further words; where a code lives whose send did not set `allow_verify_by_to`, it is a 422 that says so and costs no check.',
    scope: 'otp',
    testKeys: 'apart',
    body: CheckRequest,
    answers: { 200: { description: 'The code is right, and is now used.', schema: Approved } },
    problems: [404, 410, 422],
    async handle({ body, caller, ip }) {
      const of =
        body.id === undefined
          ? {
              destination: (await destinationOf(deps, caller, body.to ?? '', '/to')).destination,
              purpose: body.purpose ?? PURPOSE_DEFAULT,
            }
          : { id: body.id, purpose: body.purpose ?? null, by: 'service' as const };
      if (of.destination) await refuseByIdAlone(deps, caller, of);
      // Whoever holds an app's key could say anything.
      const client = caller.access === 'publishable' ? ip : (body.client?.ip ?? null);
      const result = await checkCode(deps, caller, client, of, body.code);
      return { status: 200, body: { id: result.id, status: 'approved', purpose: result.purpose } };
    },
  });

/**
 * Told to whoever holds a secret key of the project, which sent the code itself: it is a fault of its program. Strangers check by
 * other routes, whose sends allow it always.
 */
async function refuseByIdAlone(
  { checks }: Pick<OtpRouteDeps, 'checks'>,
  { projectId, mode }: Caller,
  of: { readonly destination: Destination; readonly purpose: string },
): Promise<void> {
  if (!(await checks.isByIdAlone({ projectId, mode, ...of }))) return;
  throw new Problem(422, 'incorrect-code', 'This code cannot be checked by its recipient.', {
    errors: [
      {
        pointer: '/to',
        detail:
          'expected id: the send of this code did not set allow_verify_by_to. Check it by the id that the send answered, or set allow_verify_by_to there.',
      },
    ],
  });
}

type Approval = Extract<CheckResult, { kind: 'approved' }>;

/** Answers an approval, or throws what else there is to say; wrong codes count for the guesser too. */
export async function checkCode(
  deps: Pick<OtpRouteDeps, 'checks' | 'failures'>,
  caller: Caller,
  client: string | null,
  of: Parameters<Checks['check']>[0]['of'],
  code: string,
): Promise<Approval> {
  const { projectId, mode } = caller;
  const guesser = { ...guesserOf(caller, client), projectId };
  const result = await checkGuarded(deps, guesser, { projectId, mode, of, code });
  if (result.kind === 'approved') return result;
  throw checkProblem(result);
}

const resendRoute = (deps: OtpRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/otp/{id}/resend',
    tag: 'One-time codes',
    summary: 'Send a code again',
    description:
      'The same as asking `/otp/send` again, with everything as it was. A resend never adds a check.',
    scope: 'otp',
    testKeys: 'apart',
    params: ById,
    body: z
      .strictObject({ channels: SendRequest.shape.channels, on_resend: SendRequest.shape.on_resend })
      .optional(),
    idempotent: true,
    answers: { 202: { description: 'Committed, and on its way.', schema: Accepted } },
    problems: [404, 409, 410, 422],
    async handle(request) {
      const { caller, params, body } = request;
      const facts = await deps.verifications.resendOf(caller.projectId, caller.mode, params.id);
      // What a stranger asked for, its asker sends again.
      if (facts?.askedBy !== 'service') throw checkProblem({ kind: 'unknown' });
      // Not looked at whether it lives: a key that was used before gets its first answer, whatever came after.
      const resend = { of: facts.id, body: body ?? {} };
      return accept(deps, request, facts.destination, resendCommand(facts, caller, resend.body), resend);
    },
  });

const closedReasonOf = {
  approved: 'used',
  denied: 'denied',
  cancelled: 'cancelled',
  expired: 'expired',
  'max-checks-reached': 'max-checks-reached',
} as const;

export function resendCommand(
  { verification, destination, client, checkByTo }: ResendFacts,
  caller: Caller,
  body: Partial<SendRequest>,
): SendCommand {
  return {
    phone: 'phone' in destination ? knownPhone(destination.phone) : null,
    mode: caller.mode,
    channels: [...new Set(body.channels ?? verification.channels)],
    purpose: verification.purpose,
    ...(verification.payment ? { payment: verification.payment } : {}),
    length: verification.codeLength,
    ttlSeconds: verification.ttlSeconds,
    locale: verification.locale,
    onResend: body.on_resend ?? 'reuse',
    checkByTo,
    client,
    metadata: null,
    callbackUrl: null,
  };
}

const cancelRoute = (deps: OtpRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/otp/{id}/cancel',
    tag: 'One-time codes',
    summary: 'Cancel a code',
    description: 'Nothing more is sent, and the code is worth nothing. Repeating it changes nothing.',
    scope: 'otp',
    testKeys: 'apart',
    params: ById,
    body: Empty,
    answers: {
      200: {
        description: 'It is cancelled.',
        schema: z.object({ id: z.uuid(), status: z.literal('cancelled') }),
      },
    },
    problems: [404, 410],
    async handle({ params, caller }) {
      const done = await deps.verifications.cancel(caller.projectId, caller.mode, params.id);
      if (done === 'unknown') throw checkProblem({ kind: 'unknown' });
      const timeline =
        done === 'not-live'
          ? await deps.verifications.timeline(caller.projectId, caller.mode, params.id)
          : null;
      const state = timeline?.verification.state;
      if (state && state !== 'cancelled' && state !== 'live')
        throw checkProblem({ kind: 'closed', reason: closedReasonOf[state] });
      return { status: 200, body: { id: params.id, status: 'cancelled' } };
    },
  });

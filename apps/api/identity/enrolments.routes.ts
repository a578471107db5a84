import { z } from 'zod';
import {
  ENROLMENT_SECONDS,
  enrolmentLink,
  type EnrolmentToken,
} from '../../../domain/identity/device/enrolment.ts';
import type { EnrolmentFor, Enrolments } from '../../../domain/identity/device/port.ts';
import type { Phone } from '../../../domain/shared/phone.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import type { Recipients } from '../../../domain/identity/recipient/port.ts';
import { RecipientId } from '../../../domain/identity/recipient/recipient.ts';
import { Problem } from '../../http/problem.ts';
import { PhoneField } from '../../http/fields.ts';
import { type Answer, definePersonRoute, defineRoute, type Route } from '../../http/route.ts';
import { NO_STORE, QrBody, type QrCodes, qrBody } from './qr.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import { Time } from '../../../domain/shared/time.ts';

export interface EnrolmentRouteDeps {
  readonly enrolments: Enrolments;
  readonly recipients: Recipients;
  readonly qr: QrCodes;
}

const EnrolmentBody = z
  .object({
    token: z.string().meta({ description: 'Good once. Whoever holds it may bring a device.' }),
    link: z.string().meta({
      description: "What the QR code says: it opens Navbat's app.",
      example: 'navbat://enrol?token=…',
    }),
    qr: QrBody,
    expires_at: Time,
  })
  .meta({ id: 'Enrolment' });

const MINUTES = ENROLMENT_SECONDS / 60;
const answers = {
  201: { description: `The code to scan, within ${MINUTES} minutes.`, schema: EnrolmentBody },
};

export function enrolmentRoutes(deps: EnrolmentRouteDeps): Route[] {
  return [ownEnrolment(deps), projectEnrolment(deps)];
}

const ownEnrolment = (deps: EnrolmentRouteDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/me/enrolments',
    tag: 'Devices',
    summary: 'A QR code that makes the phone that scans it yours',
    description: 'The one before it is good no more.',
    session: 'app',
    fresh: true,
    body: z.strictObject({}).optional(),
    answers,
    handle: ({ person, now }) => enrol(deps, { personId: person.personId }, now),
  });

const projectEnrolment = (deps: EnrolmentRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/enrolments',
    tag: 'Devices',
    summary: 'A QR code for your page, with which a person binds their phone',
    description:
      'The phone that scans it must also bring the code that is then sent to the number, so that your word alone binds nothing. What becomes of it is told to the person. The one before it, for the same recipient, is good no more. Each scan sets the reserve of an SMS aside from your `sms_daily_budget_micros`; where that is spent, the scan is refused.',
    scope: 'otp',
    testKeys: 'refused',
    body: z
      .strictObject({ recipient: RecipientId.optional(), phone: PhoneField.optional() })
      .refine(({ recipient, phone }) => (recipient === undefined) !== (phone === undefined), {
        ...onceValid,
        error: 'expected a recipient or a phone, and not both',
      }),
    answers,
    problems: [404, 409, 422],
    async handle({ body, caller, now }) {
      const recipientId =
        body.phone === undefined
          ? await withPhone(deps, caller, body.recipient)
          : await recipientOfPhone(deps, caller, body.phone, now);
      return enrol(deps, { recipientId }, now);
    },
  });

async function enrol(
  { enrolments, qr }: EnrolmentRouteDeps,
  whose: EnrolmentFor,
  now: Date,
): Promise<Answer> {
  const { token, expiresAt } = await enrolments.open(whose, now);
  return { status: 201, headers: NO_STORE, body: await enrolmentBody(qr, token, expiresAt) };
}

async function enrolmentBody(qr: QrCodes, token: EnrolmentToken, expiresAt: Date) {
  const link = enrolmentLink(token);
  return { token, link, qr: await qrBody(qr, link), expires_at: expiresAt };
}

/** @throws Problem 404 where the project has no such recipient, 422 where a code to it would prove no phone. */
async function withPhone(
  { recipients }: EnrolmentRouteDeps,
  { projectId }: Caller,
  id: RecipientId | undefined,
): Promise<RecipientId> {
  const recipient = id === undefined ? null : await recipients.find(projectId, id);
  if (!recipient) throw new Problem(404, 'not-found', 'The project has no such recipient.');
  if (recipient.phone === null)
    throw new Problem(422, 'no-phone', 'This recipient has no phone, to which the code would have to go.');
  return recipient.id;
}

async function recipientOfPhone(
  { recipients }: EnrolmentRouteDeps,
  { projectId }: Caller,
  phone: Phone,
  now: Date,
): Promise<RecipientId> {
  const result = await recipients.put(projectId, { phone }, now);
  if (result.put === 'conflict')
    throw new Problem(503, 'in-progress', 'Another request is making this recipient. Send it again.', {
      headers: { 'Retry-After': '1' },
    });
  return result.recipient.id;
}

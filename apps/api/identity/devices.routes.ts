import { z } from 'zod';
import type { Binder, ClaimRefusal, ConfirmRefusal } from '../../../domain/identity/device/binding.ts';
import { DeviceId } from '../../../domain/identity/device/device.ts';
import { DeviceName, DevicePlatform, EnrolmentToken } from '../../../domain/identity/device/enrolment.ts';
import type { Devices, PendingDevice } from '../../../domain/identity/device/port.ts';
import { DevicePublicKey, SignatureText } from '../../../domain/identity/device/public-key.ts';
import { AnyCode } from '../../../domain/shared/typed-code.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { netsOf } from '../../../domain/shared/ip-address.ts';
import { Problem } from '../../http/problem.ts';
import { codesFrom } from '../../http/rate-limit.ts';
import { defineOpenRoute, definePersonRoute, type Route } from '../../http/route.ts';
import { SessionBody, sessionBody } from '../../http/session-body.ts';
import {
  DeviceBody,
  deviceBody,
  onePushAddress,
  pushAddressOf,
  PushFields,
  tooManyDevices,
  TotpBody,
  totpBody,
  TotpCode,
  twoPushAddresses,
} from './device-body.ts';
import type { CodeProblems } from './code-problems.ts';
import { NO_STORE, QrBody, type QrCodes, qrBody } from './qr.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import { Time } from '../../../domain/shared/time.ts';

export interface DeviceRouteDeps {
  readonly devices: Devices;
  readonly binder: Binder;
  readonly problems: CodeProblems;
  /** What is wrong with a key of the right form, or null. */
  readonly publicKeyFault: (key: DevicePublicKey) => string | null;
  readonly qr: QrCodes;
}

/** How a phone, or an authenticator app, becomes a device. */
export function deviceRoutes(deps: DeviceRouteDeps): Route[] {
  return [
    claimRoute(deps),
    confirmRoute(deps),
    startAuthenticatorRoute(deps),
    confirmAuthenticatorRoute(deps),
  ];
}

const ById = z.object({ id: DeviceId });

const ClaimBody = z
  .strictObject({
    token: EnrolmentToken,
    name: DeviceName,
    platform: DevicePlatform.optional(),
    ...PushFields,
    public_key: DevicePublicKey,
  })
  .refine(onePushAddress, { ...onceValid, ...twoPushAddresses });

const Pending = z.object({
  id: DeviceId,
  nonce: z.string().meta({ description: 'To be signed; base64url.' }),
  totp: TotpBody,
  code_sent_to: z.string().nullable().meta({
    description: 'The number, masked, whose code must be brought along; null where none is needed.',
    example: '+998•••••••67',
  }),
  confirm_until: Time,
});

const claimRoute = (deps: DeviceRouteDeps) =>
  defineOpenRoute({
    method: 'post',
    path: '/devices',
    tag: 'Devices',
    summary: 'Begin as a device, with the token of a QR code',
    description:
      'Uses the token up. The answer is shown only once: sign, compute the code and confirm within five minutes.',
    because: 'the token of the QR code is the proof.',
    body: ClaimBody,
    answers: { 201: { description: 'What the device needs to prove itself.', schema: Pending } },
    problems: [404, 409, 410, 422],
    async handle({ body, requestId, ip, countFurther }) {
      checkPublicKey(deps, body.public_key);
      const payer = await deps.binder.payerOf(body.token);
      if (payer) await countFurther(...codesFrom(payer.projectId, ip));
      const claim = {
        token: body.token,
        name: body.name,
        platform: body.platform ?? null,
        pushAddress: pushAddressOf(body) ?? null,
        publicKey: body.public_key,
      };
      const claimed = await deps.binder.claim(claim, payer, requestId);
      if (claimed.kind !== 'pending') throw claimProblem(deps.problems, claimed);
      const { device, codeSentTo } = claimed;
      const { nonce } = device;
      const sentTo = codeSentTo === null ? null : maskPhone(codeSentTo);
      const pending = { ...pendingBody(device, body.name), nonce, code_sent_to: sentTo };
      return { status: 201, headers: NO_STORE, body: pending };
    },
  });

function claimProblem(problems: CodeProblems, refusal: ClaimRefusal): Problem {
  switch (refusal.kind) {
    case 'refused':
      return problems.notSent(refusal);
    case 'too-many-devices':
      return tooManyDevices();
    case 'unusable-token':
      return new Problem(
        410,
        'enrolment-over',
        'This code is unknown, was used, or is over. Ask for a new one.',
      );
  }
}

/** @throws Problem 400: an invalid point would make a key that checks nothing, or anything. */
function checkPublicKey({ publicKeyFault }: DeviceRouteDeps, key: DevicePublicKey): void {
  const fault = publicKeyFault(key);
  if (fault === null) return;
  throw new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
    errors: [{ pointer: '/public_key', detail: fault }],
  });
}

const pendingBody = ({ id, secret, confirmUntil }: PendingDevice, name: string) => ({
  id,
  totp: totpBody(secret, name),
  confirm_until: confirmUntil,
});

const ConfirmBody = z.strictObject({
  signature: SignatureText,
  totp: TotpCode,
  code: AnyCode.optional().meta({ description: 'The code that was sent to the phone, where one was.' }),
});

const confirmRoute = ({ binder, problems }: DeviceRouteDeps) =>
  defineOpenRoute({
    method: 'post',
    path: '/devices/{id}/confirm',
    tag: 'Devices',
    summary: 'Prove the device: its first signature and its first code',
    description:
      'The signature is over `navbat-device-v1`, a line feed, and RFC 8785 JSON of `{ device, nonce, public_key }`, the last being the RFC 7638 thumbprint (SHA-256) of the key. Five tries. Every other device and chat of the person is told.',
    because:
      'the nonce and the secret that the device was told, and the code sent to the phone, are the proof.',
    params: ById,
    body: ConfirmBody,
    answers: {
      200: {
        description: 'It is bound, and signed in.',
        schema: z.object({ device: DeviceBody, session: SessionBody }),
      },
    },
    problems: [404, 409, 410, 422],
    async handle({ params, body, ip, userAgent }) {
      const { signature, totp, code = null } = body;
      // Whose wrong codes are counted together.
      const clients = netsOf(ip);
      const answer = await binder.confirm({
        deviceId: params.id,
        signature,
        totp,
        code,
        clients,
        userAgent,
      });
      if (answer.kind !== 'bound') throw confirmProblem(problems, answer);
      const { device, grant } = answer;
      return {
        status: 200,
        headers: NO_STORE,
        body: { device: deviceBody(device, device.id), session: sessionBody(grant) },
      };
    },
  });

function confirmProblem(problems: CodeProblems, refusal: ConfirmRefusal): Problem {
  switch (refusal.kind) {
    case 'unknown':
      return new Problem(
        404,
        'not-found',
        'No such device waits to be confirmed. It may be over: begin with a new code.',
      );
    case 'wrong-proof':
      return new Problem(422, 'wrong-proof', 'The signature or the TOTP is wrong.', {
        extra: { remaining: refusal.triesLeft },
      });
    case 'code-missing':
      return new Problem(422, 'code-required', 'Bring the code that was sent to the phone along, as `code`.');
    case 'wrong-code':
      return problems.notRight(refusal.why);
    case 'too-many-devices':
      return tooManyDevices();
  }
}

const startAuthenticatorRoute = ({ devices, qr }: DeviceRouteDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/me/authenticators',
    tag: 'Devices',
    summary: 'A secret for a standard authenticator app',
    session: 'app',
    fresh: true,
    body: z.strictObject({ name: DeviceName }),
    answers: {
      201: {
        description: 'To be scanned, and confirmed with a code within five minutes.',
        schema: Pending.pick({ id: true, totp: true, confirm_until: true }).extend({ qr: QrBody }),
      },
    },
    problems: [409],
    async handle({ body, person, now }) {
      const device = await devices.startAuthenticator(person.personId, body.name, now);
      if (!device) throw tooManyDevices();
      const pending = pendingBody(device, body.name);
      return {
        status: 201,
        headers: NO_STORE,
        body: { ...pending, qr: await qrBody(qr, pending.totp.uri) },
      };
    },
  });

const confirmAuthenticatorRoute = ({ binder, problems }: DeviceRouteDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/me/authenticators/{id}/confirm',
    tag: 'Devices',
    summary: 'Prove the authenticator with its first code',
    description: 'Five tries. The code cannot be used again. Every other device and chat is notified.',
    session: 'app',
    params: ById,
    body: z.strictObject({ totp: TotpCode }),
    answers: { 200: { description: 'It is bound.', schema: DeviceBody } },
    problems: [404, 409, 422],
    async handle({ params, body, person }) {
      const order = { personId: person.personId, deviceId: params.id, totp: body.totp };
      const answer = await binder.confirmAuthenticator(order);
      if (answer.kind !== 'bound') throw confirmProblem(problems, answer);
      return { status: 200, body: deviceBody(answer.device, person.deviceId) };
    },
  });

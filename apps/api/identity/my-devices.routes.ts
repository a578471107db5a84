import { z } from 'zod';
import { stepOf } from '../../../domain/identity/device/binding.ts';
import { DeviceId } from '../../../domain/identity/device/device.ts';
import { DeviceName } from '../../../domain/identity/device/enrolment.ts';
import type { Devices } from '../../../domain/identity/device/port.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { type Answer, definePersonRoute, type Route } from '../../http/route.ts';
import {
  DeviceBody,
  deviceBody,
  onePushAddress,
  pushAddressOf,
  PushFields,
  TotpBody,
  totpBody,
  TotpCode,
  twoPushAddresses,
} from './device-body.ts';
import { NO_STORE } from './qr.ts';
import { onceValid } from '../../../domain/shared/refine.ts';

export interface MyDeviceDeps {
  readonly devices: Devices;
  readonly sameText: (a: string, b: string) => boolean;
}

const ById = z.object({ id: DeviceId });
const Empty = z.strictObject({}).optional();

export function myDeviceRoutes(deps: MyDeviceDeps): Route[] {
  return [listRoute(deps), changeRoute(deps), revokeRoute(deps), rotateRoute(deps), confirmRotateRoute(deps)];
}

const listRoute = ({ devices }: MyDeviceDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/me/devices',
    tag: 'Devices',
    summary: 'My devices, newest first',
    session: 'app',
    query: z.object(pageQuery),
    answers: { 200: { description: 'A page of devices.', schema: pageSchema(DeviceBody) } },
    async handle({ query, person }) {
      const page = await devices.list(person.personId, pageOrder(query));
      return { status: 200, body: pageBody(page, (device) => deviceBody(device, person.deviceId)) };
    },
  });

const changeRoute = ({ devices }: MyDeviceDeps) =>
  definePersonRoute({
    method: 'patch',
    path: '/me/devices/{id}',
    tag: 'Devices',
    summary: 'Rename a device, or change where its pushes go',
    description: 'Its push address is changed by the device itself alone; null takes it away.',
    session: 'app',
    params: ById,
    body: z
      .strictObject({
        name: DeviceName.optional(),
        push_token: PushFields.push_token.unwrap().nullable().optional(),
        installation_id: PushFields.installation_id,
      })
      .refine(onePushAddress, { ...onceValid, ...twoPushAddresses }),
    answers: { 200: { description: 'The device as it is now.', schema: DeviceBody } },
    problems: [404],
    async handle({ params, body, person }) {
      const pushAddress = pushAddressOf(body);
      if (pushAddress !== undefined && person.deviceId !== params.id)
        throw new Problem(403, 'not-this-device', 'Only the device itself says where its pushes go.');
      const changed = await devices.change(person.personId, params.id, { name: body.name, pushAddress });
      if (!changed) throw noDevice();
      return { status: 200, body: deviceBody(changed, person.deviceId) };
    },
  });

const revokeRoute = ({ devices }: MyDeviceDeps) =>
  definePersonRoute({
    method: 'delete',
    path: '/me/devices/{id}',
    tag: 'Devices',
    summary: 'Revoke a device',
    description: 'Its codes, its signatures and its sessions end at once, and every other device is told.',
    session: 'app',
    fresh: true,
    params: ById,
    answers: { 204: { description: 'It is revoked.', schema: z.undefined() } },
    problems: [404],
    async handle({ params, person, now }): Promise<Answer> {
      if (!(await devices.revoke(person.personId, params.id, now))) throw noDevice();
      return { status: 204, body: undefined };
    },
  });

/** The same for a device that is not there and for another person's. */
const noDevice = () => new Problem(404, 'not-found', 'You have no such device.');

const rotateRoute = ({ devices }: MyDeviceDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/me/devices/{id}/rotate',
    tag: 'Devices',
    summary: 'A new secret for the codes of this device',
    description: 'The old one stands until the new one is confirmed. By the device itself alone.',
    session: 'device',
    fresh: true,
    params: ById,
    body: Empty,
    answers: { 201: { description: 'The new secret.', schema: z.object({ totp: TotpBody }) } },
    problems: [404],
    async handle({ params, person }) {
      const secret = isOwn(params.id, person) ? await devices.offerSecret(person.personId, params.id) : null;
      if (!secret) throw noDevice();
      return { status: 201, headers: NO_STORE, body: { totp: totpBody(secret, 'Navbat') } };
    },
  });

const confirmRotateRoute = ({ devices, sameText }: MyDeviceDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/me/devices/{id}/rotate/confirm',
    tag: 'Devices',
    summary: 'Take the new secret into use',
    description: 'With a code of it. Codes of the old one are taken for another 90 seconds.',
    session: 'device',
    params: ById,
    body: z.strictObject({ totp: TotpCode }),
    answers: { 204: { description: 'The new secret counts.', schema: z.undefined() } },
    problems: [404, 422],
    async handle({ params, body, person, now }): Promise<Answer> {
      if (!isOwn(params.id, person)) throw noDevice();
      const isRight = (secret: Uint8Array) => stepOf(sameText, secret, body.totp, now) !== null;
      const taken = await devices.takeSecret(person.personId, params.id, isRight, now);
      if (taken === 'none') throw new Problem(404, 'not-found', 'No new secret waits for this device.');
      if (taken === 'wrong') throw new Problem(422, 'incorrect-code', 'The code is wrong.');
      return { status: 204, body: undefined };
    },
  });

const isOwn = (id: DeviceId, person: { readonly deviceId: DeviceId | null }) => person.deviceId === id;

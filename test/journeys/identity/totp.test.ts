import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DeviceId } from '../../../domain/identity/device/device.ts';
import { TOTP_SECRET_BYTES } from '../../../domain/shared/totp.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { deviceSecrets } from '../../../infra/identity/device/secrets.ts';
import { personWithPhone } from '../../support/approvals.ts';
import { bindPerson, earlyInStep } from '../../support/bound-person.ts';
import { codeSentTo, type Navbat, startNavbat, type TestProject, wrongCode } from '../../support/navbat.ts';
import { scanQr, totpOf } from '../../support/phone.ts';
import { platformApp } from '../../support/platform.ts';

/** One binding, and every service can verify without an SMS. */
let navbat: Navbat;
let shop: TestProject;
let taxi: TestProject;
let nextNumber = 100;

beforeAll(async () => {
  navbat = await startNavbat();
  [shop, taxi] = [await navbat.createProject(), await navbat.createProject()];
});
afterAll(() => navbat.stop());

const freshPhone = () => `+99890${nextNumber++}0000`;

async function send(project: TestProject, to: string, more: object = {}): Promise<string> {
  const sent = await project.call('POST', '/otp/send', { to, channels: ['totp'], ...more });
  expect(sent.status, JSON.stringify(sent.body)).toBe(202);
  return sent.body.id as string;
}
const check = (project: TestProject, id: string, code: string) =>
  project.call('POST', '/otp/verify', { id, code });

describe('one binding serves every project', () => {
  /** What is bound used up its step by that; so that nobody has to wait for the next ones, it was bound a minute earlier. */
  const aMinuteLater = () => navbat.db.query('update device set totp_last_step = totp_last_step - 2');
  const passesInBoth = async (to: string, code: (steps: number) => Promise<string>) => {
    await aMinuteLater();
    await earlyInStep();
    for (const [index, project] of [shop, taxi].entries()) {
      const id = await send(project, to, { purpose: `both-${index}` });
      expect(await check(project, id, await code(index - 1))).toMatchObject({ status: 200, body: { id } });
    }
  };

  test('of a phone that scanned a QR code, and of a standard authenticator app that scanned another', async () => {
    const to = freshPhone();
    const phone = await personWithPhone(navbat, await platformApp(navbat), to);
    await passesInBoth(to, (steps) => phone.totp(steps));

    await phone.signIn();
    const started = await phone.call('POST', '/me/authenticators', { name: 'Any app' });
    const secret = new URL(scanQr(started.body.qr.png)).searchParams.get('secret') ?? '';
    const path = `/me/authenticators/${started.body.id}/confirm`;
    expect((await phone.call('POST', path, { totp: await totpOf(secret) })).status).toBe(200);
    await passesInBoth(to, (steps) => totpOf(secret, steps));

    // Whoever loses a device takes it away.
    expect((await phone.call('DELETE', `/me/devices/${started.body.id}`)).status).toBe(204);
    const id = await send(shop, to, { purpose: 'revoked' });
    expect((await check(shop, id, await totpOf(secret, 1))).status).toBe(422);
  });

  test('a standard authenticator verifies for two projects that know nothing of each other', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    await earlyInStep();
    const [first, second] = [await send(shop, to), await send(taxi, to)];
    // The second project takes the next step's code: a step is used up over all projects.
    const code = await devices[0]?.code();
    const next = await devices[0]?.code(1);
    expect(await check(shop, first, code ?? '')).toMatchObject({ status: 200, body: { id: first } });
    expect(await check(taxi, second, next ?? '')).toMatchObject({ status: 200, body: { id: second } });
    expect(navbat.sandbox.inbox({ to })).toEqual([]);
    const { rows } = await navbat.db.query(
      'select v.state, j.state job from verification v join job j on j.id = v.job_id where v.phone = $1',
      [to],
    );
    expect(rows.map(({ state }) => state)).toEqual(['approved', 'approved']);
  });

  test('each of a person’s five devices does', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to, 5);
    await earlyInStep();
    for (const [index, device] of devices.entries()) {
      const id = await send(shop, to, { purpose: `device-${index}` });
      expect(await check(shop, id, await device.code())).toMatchObject({ status: 200 });
    }
  });

  test('by `to` where the send allowed it', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    await earlyInStep();
    await send(shop, to);
    const code = await devices[0]?.code();
    expect(await shop.call('POST', '/otp/verify', { to, code })).toMatchObject({ status: 422 });
    await navbat.db.query('update verification set check_by_to = true where phone = $1', [to]);
    expect(await shop.call('POST', '/otp/verify', { to, code })).toMatchObject({ status: 200 });
  });

  test('a code of it lets the project know its person, and no project before that', async () => {
    const to = freshPhone();
    const { personId, devices } = await bindPerson(navbat, to);
    const knowers = async () =>
      (await navbat.db.query('select project_id from recipient where person_id = $1', [personId])).rows;
    await earlyInStep();
    const id = await send(shop, to);
    await send(taxi, to);
    expect(await knowers()).toEqual([]);
    await check(shop, id, (await devices[0]?.code()) ?? '');
    expect(await knowers()).toEqual([{ project_id: shop.id }]);
  });
});

describe('a step is used once', () => {
  test('a code that was taken passes nowhere again, nor does one of an earlier step', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    await earlyInStep();
    const [code, before] = [await devices[0]?.code(), await devices[0]?.code(-1)];
    expect((await check(shop, await send(shop, to), code ?? '')).status).toBe(200);
    const again = await send(shop, to, { purpose: 'again' });
    expect(await check(shop, again, code ?? '')).toMatchObject({ status: 422, body: { remaining: 4 } });
    expect(await check(shop, again, before ?? '')).toMatchObject({ status: 422, body: { remaining: 3 } });
    expect((await check(taxi, await send(taxi, to), code ?? '')).status).toBe(422);
  });

  test('in 50 concurrent tries of one code exactly one is approved, over ten verifications of two projects', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    const sends = [shop, taxi].flatMap((project) =>
      Array.from({ length: 5 }, async (_, index) => ({
        project,
        id: await send(project, to, { purpose: `one-of-${index}` }),
      })),
    );
    const sent = await Promise.all(sends);
    await earlyInStep();
    const code = (await devices[0]?.code()) ?? '';
    const tries = Array.from({ length: 50 }, (_, index) => sent[index % sent.length]);
    const replies = await Promise.all(
      tries.map((one) => (one ? check(one.project, one.id, code) : Promise.reject(new Error('none')))),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    // All of them were tries: none was refused for another reason than its code.
    expect(replies.filter(({ status }) => ![200, 410, 422].includes(status))).toEqual([]);
  });

  test('and of 50 for one verification', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    const id = await send(shop, to);
    await earlyInStep();
    const code = (await devices[0]?.code()) ?? '';
    const replies = await Promise.all(Array.from({ length: 50 }, () => check(shop, id, code)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

test.each([
  [-2, 422],
  [-1, 200],
  [1, 200],
  [2, 422],
])('a clock that is %i steps off answers %i', async (steps, status) => {
  const to = freshPhone();
  const { devices } = await bindPerson(navbat, to);
  const id = await send(shop, to);
  await earlyInStep();
  expect((await check(shop, id, (await devices[0]?.code(steps)) ?? '')).status).toBe(status);
});

describe('what is not taken', () => {
  const refusedAfter = async (to: string, change: string, value: string) => {
    const { devices } = await bindPerson(navbat, to);
    const id = await send(shop, to);
    await navbat.db.query(change, [value === 'device' ? devices[0]?.id : to]);
    await earlyInStep();
    return check(shop, id, (await devices[0]?.code()) ?? '');
  };

  test('the code of a revoked device', async () => {
    const revoke = 'update device set revoked_at = now() where id = $1';
    expect((await refusedAfter(freshPhone(), revoke, 'device')).status).toBe(422);
  });

  test('the code of a device that is not bound yet', async () => {
    const unbind = 'update device set bound_at = null where id = $1';
    expect((await refusedAfter(freshPhone(), unbind, 'device')).status).toBe(422);
  });

  test('a device’s code where the send did not name the channel', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    const id = await send(shop, to, { channels: ['sms'] });
    await earlyInStep();
    expect((await check(shop, id, (await devices[0]?.code()) ?? '')).status).toBe(422);
  });

  test('another person’s', async () => {
    const to = freshPhone();
    await bindPerson(navbat, to);
    const stranger = await bindPerson(navbat, freshPhone());
    const id = await send(shop, to);
    await earlyInStep();
    expect((await check(shop, id, (await stranger.devices[0]?.code()) ?? '')).status).toBe(422);
  });

  test('any, for a purpose that moves money', async () => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };
    const body = { to, channels: ['totp'], purpose: 'pay', payment };
    expect(await shop.call('POST', '/otp/send', body)).toMatchObject({ status: 422 });
    // Were one of them to live all the same.
    const id = await send(shop, to);
    await navbat.db.query(`update verification set purpose = 'pay' where id = $1`, [id]);
    await earlyInStep();
    expect((await check(shop, id, (await devices[0]?.code()) ?? '')).status).toBe(422);
  });

  test.each([
    ['1 minute', 200],
    ['-1 ms', 422],
  ])('the secret before a new one %s before its end answers %i', async (until, status) => {
    const to = freshPhone();
    const { devices } = await bindPerson(navbat, to);
    const id = await send(shop, to);
    await earlyInStep();
    const code = (await devices[0]?.code()) ?? '';
    const deviceId = DeviceId.parse(devices[0]?.id);
    const secrets = deviceSecrets(rowEncryption(readConfig(navbat.env).ENCRYPTION_KEYS));
    await navbat.db.query(
      `update device set totp_encrypted = $3, totp_previous_encrypted = totp_encrypted, totp_previous_until = now() + $2::interval where id = $1`,
      [deviceId, until, secrets.encrypt(randomBytes(TOTP_SECRET_BYTES), deviceId)],
    );
    expect((await check(shop, id, code)).status).toBe(status);
  });
});

describe('wrong codes', () => {
  const failures = async (to: string) =>
    (
      await navbat.db.query(
        'select failed_checks, totp_failures, totp_pending from destination where address_hash = $1 and project_id = $2',
        [keyedHash(navbat.env['PEPPER'] ?? '')('address', to), shop.id],
      )
    ).rows[0];

  test('are counted alike for a person with devices and for nobody', async () => {
    const [known, unknown] = [freshPhone(), freshPhone()];
    await bindPerson(navbat, known, 2);
    for (const to of [known, unknown]) {
      const id = await send(shop, to);
      expect(await check(shop, id, '000000')).toMatchObject({ status: 422, body: { remaining: 4 } });
      expect(await failures(to)).toEqual({ failed_checks: 1, totp_failures: 1, totp_pending: 1 });
    }
  });

  test('of codes that were sent are none of a device', async () => {
    const to = freshPhone();
    const id = await send(shop, to, { channels: ['sms'] });
    await check(shop, id, wrongCode(await codeSentTo(navbat, to)));
    expect(await failures(to)).toEqual({ failed_checks: 1, totp_failures: 0, totp_pending: 0 });
  });
});

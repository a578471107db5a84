import { afterAll, beforeAll, expect, test } from 'vitest';
import { IP_SAMPLE_MIN, PREFIX_SAMPLE_MIN } from '../../../domain/verify/fraud.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';
import { codeAfter, fromHome } from '../../support/platform.ts';

/** What a service tells of its clients, over HTTP: who may tell it, and who is told what it made of a block. */
let navbat: Navbat;
let service: TestProject;
/** The same project's app, by a publishable key. */
let app: TestProject;
let nextNumber = 300;

beforeAll(async () => {
  navbat = await startNavbat();
  service = await navbat.createProject({
    settings: { sms_daily_budget_micros: 1_000_000_000, channels: ['sms'] },
  });
  const made = await navbat.createProject({ access: 'publishable', scopes: ['public'] });
  await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [service.id, made.id]);
  app = { ...made, id: service.id };
});
afterAll(() => navbat.stop());

/** In a block of numbers of its own. */
const newNumber = () => `+99891${nextNumber++}0000`;
const another = (phone: string, last: string) => phone.slice(0, -4) + last.padStart(4, '0');
const send = (to: string, client?: object) => service.call('POST', '/otp/send', { to, client });

/** As if so many had been sent codes and nobody had typed theirs. */
const pump = (names: 'ip %' | 'strangers %' | `+${string}`, sent: number) =>
  navbat.db.query(
    'update prefix_score set sent = $1, verified = 0, at = now() where project_id = $2 and prefix like $3',
    [sent, service.id, names],
  );

test('an address that nobody verifies gets a problem that names it and not the address; others, and users who are vouched for, still get codes', async () => {
  const ip = '84.54.71.7';
  const first = newNumber();
  await codeAfter(navbat, first, () => send(first, { ip, device_id: 'd' }));
  await pump('ip %', IP_SAMPLE_MIN + 1);
  const refused = await send(newNumber(), { ip, device_id: 'd' });
  expect(refused).toMatchObject({
    status: 422,
    body: {
      type: 'urn:navbat:problem:risk-blocked',
      retry: 'later',
      factors: [{ factor: 'ip', verified: 0, risk: 1 }],
    },
  });
  expect(refused.body.detail).toMatch(/51 numbers from this IP address, 0 confirmed/);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(JSON.stringify(refused.body)).not.toContain(ip);
  expect(await send(newNumber(), { ip: '84.54.71.8', device_id: 'd' })).toMatchObject({ status: 202 });
  expect(await send(newNumber(), { ip, device_id: 'd', trusted: true })).toMatchObject({ status: 202 });
});

test('a job that the worker blocked names the factors to the project that asked', async () => {
  const phone = newNumber();
  const { body } = await send(phone);
  const until = new Date(Date.now() + 3_600_000);
  const factors = [{ factor: 'ip', sent: 52, verified: 1, risk: 1 }];
  await navbat.db.query(
    `insert into risk_block (job_id, at, reason, until, factors) values ($1, now(), 'risk-blocked', $2, $3)`,
    [body.job_id, until, JSON.stringify(factors)],
  );
  expect((await service.call('GET', `/otp/${body.id}`)).body.jobs).toMatchObject([{ factors }]);
  const other = await send(newNumber());
  expect((await service.call('GET', `/otp/${other.body.id}`)).body.jobs).toMatchObject([{ factors: null }]);
});

test('a customer whom the service knows gets a code in a pumped prefix, and gets it again by a resend', async () => {
  const phone = newNumber();
  await codeAfter(navbat, phone, () => send(phone));
  await pump(phone.slice(0, -4) as `+${string}`, PREFIX_SAMPLE_MIN + 1);
  expect(await send(another(phone, '1'))).toMatchObject({
    status: 422,
    body: { type: 'urn:navbat:problem:prefix-blocked', factors: [{ factor: 'prefix' }] },
  });
  const customer = another(phone, '2');
  let id = '';
  await codeAfter(navbat, customer, async () => {
    const sent = await send(customer, { trusted: true });
    expect(sent).toMatchObject({ status: 202 });
    id = sent.body.id;
  });
  await navbat.db.query(`update verification set sent_at = sent_at - interval '1 minute' where id = $1`, [
    id,
  ]);
  expect(await service.call('POST', `/otp/${id}/resend`, {})).toMatchObject({ status: 202 });
});

test('nobody vouches for themselves: with a publishable key no route takes `trusted`, nor any other signal of a code', async () => {
  const phone = newNumber();
  const client = { trusted: true };
  expect(await app.call('POST', '/otp/send', { to: phone, client }, fromHome())).toMatchObject({
    status: 403,
  });
  for (const path of ['/auth/code', '/api/send-otp/'])
    expect(await app.call('POST', path, { phone, client }, fromHome())).toMatchObject({ status: 400 });
  expect(await app.call('POST', '/auth/approval', { to: phone, client }, fromHome())).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/client/trusted' }] },
  });
});

test('a stranger learns that a prefix is blocked, and not how many others asked or confirmed', async () => {
  const phone = newNumber();
  await codeAfter(navbat, phone, () => app.call('POST', '/auth/code', { phone }, fromHome()));
  await pump('strangers %', PREFIX_SAMPLE_MIN + 1);
  const { status, body } = await app.call('POST', '/auth/code', { phone: another(phone, '1') }, fromHome());
  expect({ status, type: body.type }).toEqual({ status: 422, type: 'urn:navbat:problem:prefix-blocked' });
  expect(body).not.toHaveProperty('factors');
  expect(body.detail).not.toMatch(/\d+ (codes|numbers)/);
});

test('a person who is erased leaves no name of their address or device on a verification that has ended', async () => {
  const phone = newNumber();
  const { body: recipient } = await service.call('PUT', '/recipients', { handle: phone, phone });
  const client = { ip: '84.54.71.9', device_id: 'theirs' };
  const { body: sent } = await send(phone, client);
  const names = async () =>
    (
      await navbat.db.query('select client, scored_ip, scored_device from verification where id = $1', [
        sent.id,
      ])
    ).rows[0];
  expect(await names()).toMatchObject({ client, scored_ip: expect.any(String) });
  await service.call('POST', `/otp/${sent.id}/cancel`);
  expect((await service.call('DELETE', `/recipients/${recipient.id}`)).status).toBeLessThan(300);
  expect(await names()).toEqual({ client: null, scored_ip: null, scored_device: null });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../../support/approvals.ts';
import { type Navbat, type Reply, startNavbat, type TestProject, until } from '../../support/navbat.ts';
import { send } from '../../support/phone.ts';
import { newNumber, platformApp, signInByCode } from '../../support/platform.ts';

/** Navbat's app by curl: a phone of the sandbox is bound to a person, and approves in their name. */
let navbat: Navbat;
let app: TestProject;

beforeAll(async () => {
  navbat = await startNavbat();
  app = await platformApp(navbat);
});
afterAll(() => navbat.stop());

const post = (path: string, body: object): Promise<Reply> => send(navbat.sandbox.url + path, 'POST', body);
const bind = (access_token: string) => post('/phones', { api: navbat.apiUrl, access_token });

test('a phone is bound by an access token, and types the number that a page shows', async () => {
  const to = newNumber();
  const { access_token } = await signInByCode(navbat, app, to);
  const bound = await bind(access_token);
  expect(bound.status, JSON.stringify(bound.body)).toBe(201);
  const { device_id } = bound.body;
  expect(await post('/phones/answer', { device_id, number: '07' })).toMatchObject({ status: 404 });

  const shop = await navbat.createProject();
  const asked = await ask(shop, to);
  const answered = await until(async () => {
    const reply = await post('/phones/answer', { device_id, number: asked.number });
    return reply.status === 200 && reply;
  });
  expect(answered.body).toMatchObject({ state: 'approved' });
  expect((await shop.call('GET', `/otp/${asked.id}`)).body).toMatchObject({ status: 'approved' });

  const denied = await ask(shop, to);
  const answer = { device_id, decision: 'deny' };
  expect(await post('/phones/answer', { ...answer, number: denied.number })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('number: expected two digits where the decision is approve') },
  });
  const refused = await until(async () => {
    const reply = await post('/phones/answer', answer);
    return reply.status === 200 && reply;
  });
  expect(refused.body).toMatchObject({ state: 'denied' });
});

test('what the api refuses is told as it was said, and a phone that is none is 404', async () => {
  expect(await bind('nobody')).toMatchObject({ status: 401, body: { type: expect.any(String) } });
  const nobody = { device_id: '0190a3b5-7c1e-7f3a-9d2b-4f6a8c0e1d2f', number: '07' };
  expect(await post('/phones/answer', nobody)).toMatchObject({ status: 404 });
  expect(await post('/phones/answer', { ...nobody, number: '7' })).toMatchObject({
    status: 400,
    body: { error: 'number: expected two digits' },
  });
});

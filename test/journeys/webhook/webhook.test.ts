import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeSentTo, type Navbat, startNavbat, until } from '../../support/navbat.ts';
import { type Received, startReceiver } from '../../support/webhook-receiver.ts';

let navbat: Navbat;
beforeAll(async () => {
  navbat = await startNavbat({ env: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
});
afterAll(() => navbat.stop());

const scopes = ['otp', 'webhooks', 'jobs'];

test('a verification tells its project: the endpoint that was registered and the callback_url of its send', async () => {
  const receiver = await startReceiver();
  const project = await navbat.createProject({ scopes });
  const { body: endpoint } = await project.call('POST', '/webhooks/endpoints', {
    url: `${receiver.url}/endpoint`,
  });
  const to = '+998901112233';
  const sent = await project.call('POST', '/otp/send', {
    to,
    channels: ['sms'],
    callback_url: `${receiver.url}/send`,
  });
  expect(sent.status).toBe(202);
  const code = await codeSentTo(navbat, to);
  expect((await project.call('POST', '/otp/verify', { id: sent.body.id, code })).status).toBe(200);

  const came = (path: string, type: string) =>
    until(async () =>
      receiver.received.find((one) => one.path === path && JSON.parse(one.body).type === type),
    );
  const { body: own } = await project.call('GET', '/webhooks/secret');
  for (const type of ['verification.approved', 'verification.delivered']) {
    expect(verify(endpoint.secret, await came('/endpoint', type))).toMatchObject({
      type,
      data: { id: sent.body.id },
    });
    const request = await came('/send', type);
    expect(verify(own.secret, request)).toMatchObject({ data: { to: '+998•••••••33', mode: 'live' } });
    expect(request.body).not.toContain(code);
    expect(request.body).not.toContain('1112233');
  }
  const { body: log } = await until(async () => {
    const answer = await project.call('GET', '/webhooks/deliveries');
    return answer.body.data.length === 4 && answer;
  });
  expect(log.data.map(({ status }: { status: string }) => status)).toEqual(Array(4).fill('completed'));
});

test('a test key’s endpoint hears what test keys did and nothing else, and neither mode sees the other’s', async () => {
  const receiver = await startReceiver();
  const live = await navbat.createProject({ scopes: [...scopes, 'projects', 'messages'] });
  const { body: key } = await live.call('POST', `/projects/${live.id}/keys`, {
    mode: 'test',
    scopes: [...scopes, 'messages'],
  });
  const test = (method: string, path: string, body?: unknown) =>
    live.call(method, path, body, { Authorization: `Bearer ${key.key}` });
  const { body: ofTest } = await test('POST', '/webhooks/endpoints', { url: `${receiver.url}/test` });
  const { body: ofLive } = await live.call('POST', '/webhooks/endpoints', { url: `${receiver.url}/live` });
  expect([ofTest.mode, ofLive.mode]).toEqual(['test', 'live']);

  const { body: code } = await test('POST', '/otp/send', { to: '+998901112244', channels: ['sms'] });
  const { body: shown } = await test('GET', `/otp/${code.id}`);
  expect((await test('POST', '/otp/verify', { id: code.id, code: shown.code })).status).toBe(200);
  const { body: message } = await test('POST', '/telegram/send', { to: { chat_id: 5 }, text: 'salom' });
  await live.call('POST', `/webhooks/endpoints/${ofLive.id}/test`, {});

  const heard = (path: string) =>
    receiver.received.filter((one) => one.path === path).map(({ body }) => JSON.parse(body));
  const types = ['verification.approved', 'message.sent', 'broadcast.finished'];
  await until(async () => types.every((type) => heard('/test').some((one) => one.type === type)));
  await until(async () => heard('/live').length > 0);
  expect(heard('/live')).toMatchObject([{ type: 'test', mode: 'live' }]);
  expect(heard('/test').every(({ mode }) => mode === 'test')).toBe(true);
  expect(heard('/test').find(({ type }) => type === 'message.sent').data.id).toBe(message.job_id);

  const list = async (call: typeof test, path: string) =>
    (await call('GET', path)).body.data as { id: string; type: string; mode: string }[];
  expect((await list(test, '/webhooks/events?type=message.sent')).map(({ mode }) => mode)).toEqual(['test']);
  expect((await list((...call) => live.call(...call), '/webhooks/events')).map(({ type }) => type)).toEqual([
    'test',
  ]);
  expect((await list(test, '/webhooks/endpoints')).map(({ id }) => id)).toEqual([ofTest.id]);
  expect((await list(test, '/webhooks/event-types')).map(({ type }) => type)).toContain('message.sent');
  expect((await test('DELETE', `/webhooks/endpoints/${ofLive.id}`)).status).toBe(404);
});

test('nothing private stands in the queue entry, the log or the label of a callback', async () => {
  const receiver = await startReceiver();
  const project = await navbat.createProject({ scopes });
  const url = `${receiver.url}/path-with-token?token=hunter2`;
  const { body: endpoint } = await project.call('POST', '/webhooks/endpoints', { url });
  await project.call('POST', `/webhooks/endpoints/${endpoint.id}/test`, {});
  await until(async () => receiver.received.length > 0);
  const lines = navbat.log.join('\n');
  expect(lines).toContain('"kind":"webhook"');
  for (const secret of ['hunter2', 'path-with-token', endpoint.secret]) expect(lines).not.toContain(secret);
  const { rows } = await navbat.db.query(
    `select labels, payload from job where kind = 'webhook' and project_id = $1`,
    [project.id],
  );
  expect(JSON.stringify(rows)).not.toMatch(/hunter2|path-with-token/);
});

test('a callback_url that leads inside is refused where private addresses are', async () => {
  const strict = await startNavbat({ processes: ['api'] });
  try {
    const project = await strict.createProject({ scopes });
    const send = (callback_url: string) =>
      project.call('POST', '/otp/send', { to: '+998901112244', channels: ['sms'], callback_url });
    for (const url of ['http://example.com/', 'https://169.254.169.254/latest', 'https://localhost/'])
      expect(await send(url)).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/callback_url' }] },
      });
    expect((await send('https://example.com/')).status).toBe(202);
  } finally {
    await strict.stop();
  }
});

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;

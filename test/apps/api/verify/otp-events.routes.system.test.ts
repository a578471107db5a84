import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer, fetchChallenge, personWithPhone } from '../../../support/approvals.ts';
import { openStream } from '../../../support/event-stream.ts';
import { codeSentTo, type Navbat, startNavbat, type TestProject, until } from '../../../support/navbat.ts';
import { platformApp } from '../../../support/platform.ts';

let navbat: Navbat;
let shop: TestProject;
let nextNumber = 1_000;

beforeAll(async () => {
  navbat = await startNavbat();
  shop = await navbat.createProject({ settings: { sends_per_hour: 100 } });
});
afterAll(() => navbat.stop());

const newNumber = () => `+99890888${nextNumber++}`;
const follow = (id: string, headers?: Record<string, string>) =>
  openStream(`${navbat.apiUrl}/otp/${id}/events`, shop.key, headers);

async function ask(to: string, more: object = {}) {
  const sent = await shop.call('POST', '/otp/send', { to, channels: ['push'], ...more });
  expect(sent.status, JSON.stringify(sent.body)).toBe(202);
  return sent.body;
}

test('whoever follows a verification hears of its approval, and the stream ends', async () => {
  const number = newNumber();
  const phone = await personWithPhone(navbat, await platformApp(navbat), number);
  const first = await ask(number, { purpose: 'first' });
  const stream = await follow(first.id);
  expect(stream.status).toBe(200);
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  expect(stream.headers.get('cache-control')).toBe('no-store');
  await until(async () => stream.events.length > 0);
  const asked = await fetchChallenge(navbat, phone, first.job_id);
  await answer(phone, asked, { decision: 'approve', number: first.number });
  await stream.ended;
  // Not a word of the push before the person's yes.
  expect(stream.events).toMatchObject([
    { id: 'live.none', event: 'state', data: { id: first.id, status: 'live', approval: null } },
    { id: 'approved.approved', data: { status: 'approved', approval: { state: 'approved' } } },
  ]);

  // From now on the project may know what becomes of each.
  const second = await ask(number, { purpose: 'second' });
  const known = await follow(second.id);
  const again = await fetchChallenge(navbat, phone, second.job_id);
  await until(async () => known.events.at(-1)?.id === 'live.pending');
  await answer(phone, again, { decision: 'deny' });
  await known.ended;
  expect(known.events.at(-1)).toMatchObject({ id: 'denied.denied', data: { approval: { state: 'denied' } } });
});

test('who comes back hears what changed meanwhile, and nothing twice', async () => {
  const number = newNumber();
  const sent = await ask(number, { channels: ['sms'] });
  const stream = await follow(sent.id);
  await until(async () => stream.events.length === 1);
  stream.close();
  const back = await follow(sent.id, { 'Last-Event-ID': 'live.none' });
  const code = await codeSentTo(navbat, number);
  await shop.call('POST', '/otp/verify', { id: sent.id, code });
  await back.ended;
  expect(back.events).toMatchObject([{ id: 'approved.none', data: { status: 'approved' } }]);
  const late = await follow(sent.id, { 'Last-Event-ID': 'live.none' });
  await late.ended;
  expect(late.events).toMatchObject([{ id: 'approved.none' }]);
  expect(await follow(sent.id, { 'Last-Event-ID': 'approved.none' })).toMatchObject({ status: 204 });
});

test('nobody follows what is not theirs', async () => {
  const sent = await ask(newNumber());
  const stranger = await navbat.createProject();
  const test = await navbat.createProject({ mode: 'test' });
  for (const { key } of [stranger, test]) {
    const stream = await openStream(`${navbat.apiUrl}/otp/${sent.id}/events`, key);
    expect(stream.status).toBe(404);
  }
  expect(
    await openStream(`${navbat.apiUrl}/otp/${sent.id}/events`, 'nbt_live_0123456789abcdef'),
  ).toMatchObject({
    status: 401,
  });
});

test('a HEAD is answered without a stream, and a process that stops ends those it has', async () => {
  const sent = await ask(newNumber());
  const head = await fetch(`${navbat.apiUrl}/otp/${sent.id}/events`, {
    method: 'HEAD',
    headers: { Authorization: `Bearer ${shop.key}` },
  });
  expect(head.status).toBe(200);
  expect(await head.text()).toBe('');

  const second = await startNavbat({ processes: ['api'] });
  const project = await second.createProject();
  const other = await project.call('POST', '/otp/send', { to: newNumber(), channels: ['push'] });
  const stream = await openStream(`${second.apiUrl}/otp/${other.body.id}/events`, project.key);
  expect(stream.status).toBe(200);
  await second.stop();
  // To its last byte: what a drain must cut off after its ten seconds is not whole.
  expect(await stream.ended).toBe('whole');
});

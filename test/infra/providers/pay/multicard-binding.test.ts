import { expect, test } from 'vitest';
import { Phone } from '../../../../domain/shared/phone.ts';
import type { BoundCard, CardRail, RailReply } from '../../../../domain/pay/rail/port.ts';
import { freshMulticard, orderOf, railAt } from '../../../apps/sandbox/pay/multicard-world.ts';
import { receiver } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';

const PHONE = Phone.parse('+998901234567');
const order = { bindingId: 'b-1', phone: PHONE, returnTo: 'https://app.example.uz/done' };

async function beginOn(rail: CardRail, bindingId = 'b-1') {
  const reply = await rail.beginBinding({ ...order, bindingId }, deadline());
  if (reply.kind !== 'answered') throw new Error(reply.kind);
  return reply.value;
}
const cardOf = (reply: RailReply<BoundCard | null>) => (reply.kind === 'answered' ? reply.value : undefined);
const answer = (url: string, body: object) =>
  fetch(`${url}/control/people/answer`, { method: 'POST', body: JSON.stringify(body) });

test('a person binds a card on the form of the rail, and it can be paid', async () => {
  const api = await receiver();
  const box = await freshMulticard();
  const rail = railAt(box.url, { publicUrl: api.url });
  const { session, formUrl } = await beginOn(rail);
  expect(cardOf(await rail.readBinding(session, deadline()))).toBeNull();
  const form = await fetch(formUrl);
  expect(await form.text()).toContain('name="pan"');
  const body = new URLSearchParams({ pan: '9860 1234 5678 9012', holder_name: 'DILNOZA RAHIMOVA' });
  const done = await fetch(formUrl, { method: 'POST', body, redirect: 'manual' });
  expect([done.status, done.headers.get('location')]).toEqual([303, order.returnTo]);
  const card = cardOf(await rail.readBinding(session, deadline()));
  expect(card).toMatchObject({
    last4: '9012',
    system: 'humo',
    phone: PHONE,
    holderName: 'DILNOZA RAHIMOVA',
    pinfl: expect.stringMatching(/^\d{14}$/) as string,
  });
  if (!card) throw new Error('no card');
  const draft = await rail.draft(orderOf('d-1', { token: card.token }), deadline());
  expect(draft).toMatchObject({ kind: 'answered' });
  // The form is for once.
  expect((await fetch(formUrl)).status).toBe(410);
  await expect.poll(() => api.received.length).toBe(1);
  expect(api.received[0]?.url).toMatch(/^\/callbacks\/multicard\/bindings\/b-1\?token=[\w-]{43}$/);
});

test('a callback is believed by its address alone, and says only which binding to look at', async () => {
  const api = await receiver();
  const box = await freshMulticard();
  box.set({ people: true, people_after_ms: 1 });
  const rail = railAt(box.url, { publicUrl: api.url });
  await beginOn(rail);
  await expect.poll(() => api.received.length).toBe(1);
  const token = new URL(api.received[0]?.url ?? '', api.url).searchParams.get('token') ?? '';
  expect(rail.readBindingCallback('b-1', token)).toEqual({ kind: 'look', bindingId: 'b-1' });
  expect(rail.readBindingCallback('b-2', token)).toEqual({ kind: 'forged' });
  expect(rail.readBindingCallback('b-1', '')).toEqual({ kind: 'forged' });
  const other = railAt(box.url, { secret: 'of another application' });
  expect(other.readBindingCallback('b-1', token)).toEqual({ kind: 'forged' });
});

test('people answer by themselves, as many as there are, under the names that they have', async () => {
  const box = await freshMulticard();
  box.set({ people: 2, people_after_ms: 1 });
  const known = [{ phone: '998901234567', holder_name: 'BOTIR TOSHMATOV', pinfl: '31105892514010' }];
  await fetch(`${box.url}/control/people`, { method: 'PUT', body: JSON.stringify(known) });
  const rail = railAt(box.url);
  const forms = [await beginOn(rail, 'b-1'), await beginOn(rail, 'b-2'), await beginOn(rail, 'b-3')];
  const cards = async () =>
    Promise.all(forms.map(async ({ session }) => cardOf(await rail.readBinding(session, deadline()))));
  await expect.poll(async () => (await cards()).filter((card) => card).length).toBe(2);
  const [first, , third] = await cards();
  expect(first).toMatchObject({ holderName: 'BOTIR TOSHMATOV', pinfl: '31105892514010' });
  expect(third).toBeNull();
  await answer(box.url, { session: forms[2]?.session, holder_name: 'SOMEBODY ELSE' });
  expect((await cards())[2]).toMatchObject({ holderName: 'SOMEBODY ELSE' });
});

test('who gives up, or has a card of another phone, has bound none', async () => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  const [gaveUp, other] = [await beginOn(rail, 'b-1'), await beginOn(rail, 'b-2')];
  await answer(box.url, { session: gaveUp.session, decline: true });
  await answer(box.url, { session: other.session, phone: '998907654321' });
  for (const { session } of [gaveUp, other])
    expect(await rail.readBinding(session, deadline())).toMatchObject({ kind: 'refused', because: 'card' });
});

test('a form is good for fifteen minutes', async () => {
  let nowMs = Date.now();
  const clock = () => new Date(nowMs);
  const box = await freshMulticard({ clock });
  const rail = railAt(box.url, { clock });
  const { session } = await beginOn(rail);
  nowMs += 900_000;
  expect(cardOf(await rail.readBinding(session, deadline()))).toBeNull();
  nowMs += 1;
  expect(await rail.readBinding(session, deadline())).toMatchObject({ because: 'not-found' });
});

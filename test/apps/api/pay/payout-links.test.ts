import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PayoutLinkDeps, payoutLinkPages } from '../../../../apps/api/pay/payout-links.routes.ts';
import { begin, problems, unknownPath } from '../../../../apps/http/express.ts';
import type { CardRail } from '../../../../domain/pay/rail/port.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { limitConnection, quotaCounter } from '../../../../infra/limits/quota-counter.ts';
import { linkOutbox, payoutLinks } from '../../../../infra/postgres/pay/list/links.ts';
import { openLog } from '../../../../infra/process/log.ts';
import { freshRedis } from '../../../support/servers.ts';
import { freshMulticard, railAt } from '../../sandbox/pay/multicard-world.ts';
import { GROSS, openListing } from '../../../infra/postgres/pay/list/listing.ts';

const DAY_MS = 86_400_000;

let pay: Awaited<ReturnType<typeof openListing>>;
let redis: Redis;
let counter: ReturnType<typeof quotaCounter>;
let by: Awaited<ReturnType<typeof pay.funder>>;
beforeAll(async () => {
  pay = await openListing();
  redis = new Redis(await freshRedis(), limitConnection);
  counter = quotaCounter(redis);
  by = await pay.funder(1_000n * GROSS);
});
beforeEach(() => redis.flushdb());
afterAll(async () => {
  counter.close();
  redis.disconnect();
  await pay.close();
});

const lines: string[] = [];
/** The pages over a real socket, with the sandbox's Multicard. */
async function openPages(more: Partial<PayoutLinkDeps> = {}) {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const box = await freshMulticard();
  const rail: CardRail = railAt(box.url, { publicUrl: url });
  const links = payoutLinks(pay.pool, pay.destinations);
  const log = openLog('test', 'debug', { write: (line: string) => void lines.push(line) });
  const deps = { links, rail, publicUrl: url, counter, now: () => new Date(), proxies: 0, ...more };
  server.on('request', express().use(begin, payoutLinkPages(deps)).use(unknownPath).use(problems({ log })));
  return { url, box, links, close: () => server.close() };
}
type Pages = Awaited<ReturnType<typeof openPages>>;

const make = ({ id, phone }: { readonly id: string; readonly phone: string }, token: string) =>
  linkOutbox({ pool: pay.pool, hash: pay.hash, encryption: pay.rowEncryption }).make(
    { payoutId: id, phone: phone as Phone },
    token,
  );

/** A payout of a list, and the link that its payee was sent. */
async function sentLink(name = 'Dilnoza Rahimova') {
  const done = await pay.lists.import(pay.order(by.id, pay.lines(1, { name, purpose: 'Grant <b>&' })));
  if (!done.ok) throw new Error(done.refusal.kind);
  const [payout] = (await pay.lists.payouts(done.id, 0, 1)).rows;
  if (!payout) throw new Error('no payout');
  const token = randomBytes(32).toString('base64url');
  await make(payout, token);
  await pay.pool.query(
    `update payout_link set channel = 'sms', sent_at = navbat_now(), token_encrypted = null where payout_id = $1`,
    [payout.id],
  );
  const read = async () => (await pay.lists.payouts(done.id, 0, 1)).rows[0];
  return { token, payout, read, list: done.id };
}
type Sent = Awaited<ReturnType<typeof sentLink>>;

const get = async ({ url }: Pages, { token }: Pick<Sent, 'token'>, lang = '') => {
  const response = await fetch(`${url}/payout-links/${token}${lang}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const press = async ({ url }: Pages, { token }: Pick<Sent, 'token'>) => {
  const response = await fetch(`${url}/payout-links/${token}?lang=uz`, { method: 'POST' });
  const text = await response.text();
  return { status: response.status, text, formUrl: /href="([^"]+\/card\/[^"]+)"/.exec(text)?.[1] ?? '' };
};
/** How many the rail has opened. */
const formsAt = async (railUrl: string) =>
  ((await (await fetch(`${railUrl}/control/bindings`)).json()) as unknown[]).length;
const type = (formUrl: string, holder = 'DILNOZA RAHIMOVA') =>
  fetch(formUrl, {
    method: 'POST',
    body: new URLSearchParams({ pan: '9860 1234 5678 9012', holder_name: holder }),
    redirect: 'manual',
  });
const bound = { state: 'pending', nameScore: 100, nameOnCard: 'DILNOZA RAHIMOVA', last4: '9012' };

test('a payee reads what is paid, and by whom, and no phone in full', async () => {
  const pages = await openPages();
  const sent = await sentLink();
  const { status, text, headers } = await get(pages, sent);
  expect(status).toBe(200);
  expect(text).toContain('20\u00A0000.00 so‘m');
  expect(text).toContain('Grant &lt;b&gt;&amp;');
  expect(text).toContain('Kartani bog‘lash');
  expect(text).not.toContain(sent.payout.phone);
  expect(text).not.toContain(sent.payout.phone.slice(4, -2));
  expect(headers.get('x-robots-tag')).toBe('noindex, nofollow');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none';style-src 'unsafe-inline';base-uri 'none';form-action 'self';frame-ancestors 'none'",
  );
  expect((await get(pages, sent, '?lang=ru')).text).toContain('Привязать карту');
  pages.close();
});

describe('a card that is bound', () => {
  test('on the way back makes the payout payable, with the score of the name', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    const { formUrl } = await press(pages, sent);
    expect(await sent.read()).toMatchObject({ state: 'awaiting-card' });
    // The rail does not call here: the person comes back.
    const back = await type(formUrl);
    expect(back.headers.get('location')).toBe(`${pages.url}/payout-links/${sent.token}`);
    const { text } = await get(pages, sent);
    expect(text).toContain('Karta bog‘landi');
    expect(text).toContain('•••• 9012');
    expect(await sent.read()).toMatchObject(bound);
    pages.close();
  });

  test('is bound by the callback of the rail too, where nobody comes back; once', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    await type((await press(pages, sent)).formUrl);
    await expect
      .poll(sent.read)
      .toMatchObject({ ...bound, link: { usedAt: expect.any(Date), openedAt: expect.any(Date) } });
    const count = 'select count(*)::int n from payout_destination where phone = $1';
    expect(await pay.one(count, [sent.payout.phone])).toEqual({ n: 1 });
    pages.close();
  });

  test('is not told as refused while somebody else holds the payout, and is bound after that', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    const { formUrl } = await press(pages, sent);
    const holder = await pay.owner.connect();
    await holder.query('begin');
    await holder.query('select from payout where id = $1 for update', [sent.payout.id]);
    await type(formUrl);
    const { status, text } = await get(pages, sent);
    await holder.query('rollback');
    holder.release();
    expect([status, text.includes('Bir daqiqadan so‘ng sahifani yangilang')]).toEqual([200, true]);
    expect((await get(pages, sent)).text).toContain('•••• 9012');
    expect(await sent.read()).toMatchObject(bound);
    pages.close();
  });

  test('of another name has a low score, and waits for an approver all the same', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    await type((await press(pages, sent)).formUrl, 'OLIM KARIMOV');
    await get(pages, sent);
    const after = await sent.read();
    expect(after).toMatchObject({ state: 'pending', nameOnCard: 'OLIM KARIMOV' });
    expect(after?.nameScore).toBeLessThan(40);
    pages.close();
  });

  test('of another phone is refused, should the rail ever give one', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const pages = await openPages({
      rail: {
        ...rail,
        readBinding: async (...of) => {
          const reply = await rail.readBinding(...of);
          return reply.kind === 'answered' && reply.value !== null
            ? { ...reply, value: { ...reply.value, phone: '+998935550001' as Phone } }
            : reply;
        },
      },
    });
    const sent = await sentLink();
    await type((await press(pages, sent)).formUrl);
    expect((await get(pages, sent)).text).toContain('Boshqa kartani kiriting');
    expect(await sent.read()).toMatchObject({ state: 'awaiting-card', last4: null });
    pages.close();
  });

  test('leaves its token encrypted, bound to its row, and its number nowhere', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    await type((await press(pages, sent)).formUrl);
    await get(pages, sent);
    const { rows } = await pay.pool.query<{
      id: string;
      token_encrypted: Buffer;
      text: string;
      pinfl_hash: Buffer;
    }>('select id, token_encrypted, pinfl_hash, d::text as text from payout_destination d where phone = $1', [
      sent.payout.phone,
    ]);
    const [row] = rows;
    expect(pay.rowEncryption.decrypt(row?.token_encrypted ?? Buffer.alloc(0), row?.id ?? '')).toMatch(
      /\S{3,}/,
    );
    expect(row?.pinfl_hash).toHaveLength(32);
    expect(row?.text).not.toContain('9860123456789012');
    pages.close();
  });
});

describe('a link that does not work is answered clearly, and changes nothing', () => {
  test.each([
    ['a guessed one', randomBytes(32).toString('base64url')],
    ['one cut off', 'abc'],
    ['one that is no token', '%27or%201=1--'],
    ['one with a NUL', 'a'.repeat(42) + '%00'],
  ])('%s: 404', async (_what, token) => {
    const pages = await openPages();
    const { status, text } = await get(pages, { token });
    expect([status, text.includes('Bunday havola yo‘q')]).toEqual([404, true]);
    expect((await press(pages, { token })).status).toBe(404);
    pages.close();
  });

  test('one that was used: what became of it, and no other card', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    await type((await press(pages, sent)).formUrl);
    await get(pages, sent);
    const again = await press(pages, sent);
    expect([again.status, again.formUrl]).toEqual([410, '']);
    expect(again.text).toContain('Karta bog‘landi');
    expect(await sent.read()).toMatchObject(bound);
    pages.close();
  });

  test('one of a payout that was cancelled, also while its form is open', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    const { formUrl } = await press(pages, sent);
    await pay.owner.query('select payout_cancel_now($1, $2, $3)', [
      sent.payout.id,
      'asked',
      `staff:${pay.staffId}`,
    ]);
    await type(formUrl);
    const { text } = await get(pages, sent);
    expect(text).toContain('bekor qilindi');
    expect(text).not.toContain('20\u00A0000');
    expect((await press(pages, sent)).status).toBe(410);
    expect(await sent.read()).toMatchObject({ state: 'cancelled', last4: null });
    const count = 'select count(*)::int n from payout_destination where phone = $1';
    expect(await pay.one(count, [sent.payout.phone])).toEqual({ n: 0 });
    pages.close();
  });

  test('one after 14 days, before and after its payout is given back', async () => {
    const pages = await openPages({ now: () => new Date(Date.now() + 14 * DAY_MS + 1_000) });
    const sent = await sentLink();
    expect((await get(pages, sent)).text).toContain('muddati tugadi');
    await pay.moveClock(14 * DAY_MS + 1_000);
    expect(await pages.links.begin(sent.token, randomUUID())).toBe('gone');
    const held = await by.held();
    await pay.pool.query('select payout_expire(1000)');
    expect(await by.held()).toBeLessThan(held);
    await pay.moveClock(0);
    expect(await sent.read()).toMatchObject({ state: 'cancelled', reason: 'expired' });
    expect((await get(pages, sent)).text).toContain('muddati tugadi');
    pages.close();
  });

  test('one that a reminder replaced says so, and the card of its form is not bound', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    const { formUrl } = await press(pages, sent);
    await pay.moveClock(4 * DAY_MS);
    const newer = randomBytes(32).toString('base64url');
    expect(await make(sent.payout, newer)).toBe(true);
    expect(await sent.read()).toMatchObject({ link: { isReminder: true } });
    await pay.moveClock(0);
    await type(formUrl);
    expect((await get(pages, sent)).text).toContain('yangiroq havola');
    expect(await sent.read()).toMatchObject({ state: 'awaiting-card' });
    expect((await get(pages, { token: newer })).text).toContain('Kartani bog‘lash');
    pages.close();
  });

  test('one that was replaced binds no card in Postgres either, whose payee left the form for long', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    await press(pages, sent);
    await pay.moveClock(4 * DAY_MS);
    expect(await make(sent.payout, randomBytes(32).toString('base64url'))).toBe(true);
    await pay.moveClock(0);
    const { rows } = await pay.owner.query<{ binding: string }>(
      `select b.id as binding from payout_binding b join payout_link l on l.id = b.link_id
       where l.payout_id = $1`,
      [sent.payout.id],
    );
    const card = await pay.destination({ phone: sent.payout.phone });
    await expect(
      pay.pool.query('select payout_link_bind($1, $2, null)', [rows[0]?.binding, card]),
    ).rejects.toMatchObject({ code: 'NB010', detail: 'revoked' });
    pages.close();
  });

  test('one binds the card of its own payee alone', async () => {
    const pages = await openPages();
    const [mine, theirs] = [await sentLink(), await sentLink('Botir Toshmatov')];
    await type((await press(pages, mine)).formUrl);
    await get(pages, theirs);
    expect(await theirs.read()).toMatchObject({ state: 'awaiting-card', last4: null });
    await expect.poll(mine.read).toMatchObject(bound);
    pages.close();
  });
});

describe('the form of the rail', () => {
  test('that somebody left, or gave up, leaves the button', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    await press(pages, sent);
    expect((await get(pages, sent)).text).toContain('hali bog‘lanmadi');
    const { formUrl } = await press(pages, sent);
    await fetch(formUrl, { method: 'POST', body: new URLSearchParams({ decline: '1' }), redirect: 'manual' });
    const { text } = await get(pages, sent);
    expect(text).toContain('hali bog‘lanmadi');
    expect(text).toContain('Kartani bog‘lash');
    pages.close();
  });

  test('is asked for ten times an hour, and no more, however many ask at once: the rail hears of no eleventh', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    const all = await Promise.all(Array.from({ length: 15 }, () => press(pages, sent)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(10);
    const refused = all.filter(({ status }) => status !== 200);
    expect(refused.every(({ status, text }) => status === 429 && text.includes('Urinishlar juda ko‘p'))).toBe(
      true,
    );
    expect(await formsAt(pages.box.url)).toBe(10);
    pages.close();
  });

  test('that the rail did not open is counted, and is none that the page asks for', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    pages.box.orderFaults({ on: 'bind', effect: 'error-before' });
    for (let n = 0; n < 10; n += 1) expect((await press(pages, sent)).status).toBe(503);
    expect((await press(pages, sent)).status).toBe(429);
    expect((await get(pages, sent)).text).not.toContain('hali bog‘lanmadi');
    pages.close();
  });

  test('that opens when its link was replaced is shown to nobody', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const sent = await sentLink();
    const pages = await openPages({
      rail: {
        ...rail,
        beginBinding: async (...of) => {
          const reply = await rail.beginBinding(...of);
          await pay.owner.query('update payout_link set revoked_at = navbat_now() where payout_id = $1', [
            sent.payout.id,
          ]);
          return reply;
        },
      },
    });
    const { status, formUrl } = await press(pages, sent);
    expect([status, formUrl]).toEqual([410, '']);
    pages.close();
  });

  test('where the rail is away, or there is none, says to come later', async () => {
    const pages = await openPages();
    const sent = await sentLink();
    await pages.box.close();
    const { status, text } = await press(pages, sent);
    expect([status, text.includes('Keyinroq urinib')]).toEqual([503, true]);
    pages.close();
    const none = await openPages({ rail: null });
    expect((await press(none, sent)).status).toBe(503);
    expect((await get(none, sent)).status).toBe(200);
    none.close();
  }, 30_000);
});

describe('a call of the rail', () => {
  const call = (url: string, id: string, token: string) =>
    fetch(`${url}/callbacks/multicard/bindings/${id}?token=${token}`, {
      method: 'POST',
      body: '{"phone":"x"}',
    });

  test.each(['', 'a'.repeat(43)])('without the token of the binding is refused: %s', async (token) => {
    const pages = await openPages();
    const sent = await sentLink();
    await press(pages, sent);
    const { id } = await pay.one<{ id: string }>(
      'select id from payout_binding order by begun_at desc limit 1',
      [],
    );
    expect((await call(pages.url, id, token)).status).toBe(403);
    expect((await call(pages.url, 'x', token)).status).toBe(403);
    pages.close();
  });
});

test('no token of a link stands in a log line', async () => {
  const pages = await openPages();
  const sent = await sentLink();
  await get(pages, sent);
  await type((await press(pages, sent)).formUrl);
  await fetch(`${pages.url}/payout-links/${sent.token}`, { method: 'PUT' });
  pages.close();
  expect(lines.join('\n')).not.toContain(sent.token);
});

test('one address asks for pages as often as for anything that is open, and no more', async () => {
  const pages = await openPages();
  const all = await Promise.all(Array.from({ length: 700 }, () => get(pages, { token: 'x' })));
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([404, 429]));
  pages.close();
});

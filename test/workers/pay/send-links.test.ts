import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { linkText } from '../../../domain/pay/link/text.ts';
import { linkOutbox, payoutLinks } from '../../../infra/postgres/pay/list/links.ts';
import { sendLinks, type SendLinksDeps } from '../../../workers/pay/send-links.ts';
import { GROSS, openListing } from '../../infra/postgres/pay/list/listing.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let pay: Awaited<ReturnType<typeof openListing>>;
beforeAll(async () => {
  pay = await openListing();
});
beforeEach(async () => {
  // What an earlier test left waits for nobody.
  await pay.pool.query(
    `select payout_cancel(id, null, 'asked', 'staff:x') from payout where state = 'awaiting-card'`,
  );
  clock = 0;
  await pay.moveClock(0);
});
afterAll(() => pay.close());

let clock = 0;
const forward = async (ms: number) => {
  clock = ms;
  await pay.moveClock(ms);
};
interface Sent {
  readonly to: string;
  readonly text: string;
  readonly key: string;
}
/** Rounds of one process, and what left it. */
function sender(more: Partial<SendLinksDeps> = {}) {
  const sent: Sent[] = [];
  const faults: unknown[] = [];
  const round = sendLinks({
    outbox: linkOutbox(pay.pool),
    newToken: () => randomBytes(32).toString('base64url'),
    urlOf: (token) => `https://pay.example/payout-links/${token}`,
    toChats: async (chats, text, key) => void sent.push({ to: chats.join(), text, key }),
    toPhone: null,
    now: () => new Date(Date.now() + clock),
    onFault: (err) => faults.push(err),
    ...more,
  });
  return { round, sent, faults };
}
let chats = 7_000_000;
/** A list with one payee, who has a chat with the bot or not. */
async function listOfOne({ hasChat = true } = {}) {
  const by = await pay.funder(GROSS);
  const of = pay.lines(1);
  const phone = of[0]?.phone ?? '';
  const chat = String((chats += 1));
  if (hasChat) {
    const personId = await pay.personOf(phone);
    await pay.pool.query(
      `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, now())`,
      [chat, personId],
    );
  }
  const done = await pay.lists.import(pay.order(by.id, of));
  if (!done.ok) throw new Error(done.refusal.kind);
  const read = async () => (await pay.lists.payouts(done.id, 0, 1)).rows[0];
  return { chat, phone, read };
}
const tokenIn = ({ text }: Pick<Sent, 'text'>) => /payout-links\/([\w-]{43})$/.exec(text)?.[1] ?? '';
const stateOf = async (token: string) =>
  (await payoutLinks(pay.pool, pay.destinations).find(token, new Date(Date.now() + clock)))?.state;

test('a payee with a chat is sent one link, which works, and its token is kept nowhere', async () => {
  const { chat, read } = await listOfOne();
  const { round, sent } = sender();
  expect(await round()).toBe(2_000);
  await round();
  expect(sent).toEqual([
    { to: chat, text: expect.stringContaining('20 000 so‘m'), key: expect.stringMatching(/^payout-link:/) },
  ]);
  const token = tokenIn(sent[0] as Sent);
  expect(await stateOf(token)).toBe('live');
  expect(await read()).toMatchObject({
    link: { channel: 'telegram', sentAt: expect.any(Date), isReminder: false },
  });
  const { rows } = await pay.pool.query<{ text: string }>('select l::text as text from payout_link l');
  expect(rows.filter(({ text }) => text.includes(token))).toEqual([]);
});

test('two processes at once send it once', async () => {
  await Promise.all(Array.from({ length: 5 }, () => listOfOne()));
  const senders = [sender(), sender(), sender()];
  await Promise.all(senders.map(({ round }) => round()));
  expect(senders.flatMap(({ sent }) => sent)).toHaveLength(5);
});

test('it is reminded after three days, once, and the link before says that there is a newer one', async () => {
  await listOfOne();
  const { round, sent } = sender();
  await round();
  await forward(3 * DAY_MS - HOUR_MS);
  await round();
  expect(sent).toHaveLength(1);
  await forward(3 * DAY_MS + HOUR_MS);
  await round();
  await forward(10 * DAY_MS);
  await round();
  expect(sent.map(({ text }) => text.startsWith('Eslatma: '))).toEqual([false, true]);
  expect(await Promise.all(sent.map((each) => stateOf(tokenIn(each))))).toEqual(['replaced', 'live']);
});

test('where messages are away it is tried again ten minutes later, with another link', async () => {
  await listOfOne();
  const lost = sender({ toChats: () => Promise.reject(new Error('away')) });
  await lost.round();
  expect(lost.faults).toHaveLength(1);
  const { round, sent } = sender();
  await round();
  expect(sent).toHaveLength(0);
  await forward(11 * 60_000);
  await round();
  expect(sent).toHaveLength(1);
  expect(await stateOf(tokenIn(sent[0] as Sent))).toBe('live');
});

test('a payee without a chat waits where nobody sends SMS, and is sent one where somebody does', async () => {
  const { phone, read } = await listOfOne({ hasChat: false });
  const silent = sender();
  await silent.round();
  expect([silent.sent, (await read())?.link]).toEqual([[], null]);
  const texts: string[] = [];
  const { round } = sender({
    toPhone: async (to, text) => {
      texts.push(`${to} ${text}`);
      return true;
    },
  });
  await round();
  expect(texts).toEqual([expect.stringMatching(new RegExp(`^\\${phone} `))]);
  expect(await read()).toMatchObject({ link: { channel: 'sms', sentAt: expect.any(Date) } });
});

test('an SMS that no provider took is not counted as sent', async () => {
  const { read } = await listOfOne({ hasChat: false });
  await sender({ toPhone: () => Promise.resolve(false) }).round();
  expect(await read()).toMatchObject({ link: { sentAt: null } });
});

test('nothing goes to who lost the phone since, nor for what was cancelled or is too old', async () => {
  const { phone } = await listOfOne();
  const thief = await pay.personOf('+998930000001');
  await pay.pool.query(
    `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', 6000000, $1, now())`,
    [thief],
  );
  await pay.pool.query('update person_phone set person_id = $2 where phone = $1', [phone, thief]);
  const cancelled = await listOfOne();
  await pay.pool.query(`select payout_cancel($1, null, 'asked', 'staff:x')`, [(await cancelled.read())?.id]);
  const { round, sent } = sender();
  await round();
  expect(sent).toEqual([]);
  await listOfOne();
  await forward(14 * DAY_MS + HOUR_MS);
  await round();
  expect(sent).toEqual([]);
});

test('the text says who pays, how much and what for, in two languages', () => {
  const text = linkText({
    payer: 'Alif',
    amount: 123_450_050n,
    purpose: 'Grant',
    url: 'https://x/y',
    isReminder: true,
  });
  expect(text).toBe(
    'Eslatma: Alif sizga 1 234 500.50 so‘m to‘laydi (Grant). Kartangizni bog‘lang:\n' +
      'Напоминание: Alif выплачивает вам 1 234 500.50 сум (Grant). Привяжите карту:\nhttps://x/y',
  );
});

import { expect, test } from 'vitest';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { until } from '../../support/navbat.ts';
import { apiOf, BOT_TOKEN, freshSandbox, receiver } from './support.ts';

const order = async (sandbox: Sandbox, body: unknown, status = 200) => {
  const answer = await fetch(`${sandbox.url}/telegram/people`, { method: 'PUT', body: JSON.stringify(body) });
  expect(answer.status).toBe(status);
  return answer.json();
};
interface Report {
  readonly joined: number;
  readonly pressed: number;
  readonly waiting: number;
}
const report = async (sandbox: Sandbox) =>
  (await (await fetch(`${sandbox.url}/telegram/people`)).json()) as Report;

interface Heard {
  readonly update_id: number;
  readonly message?: {
    readonly chat: { readonly id: number };
    readonly text?: string;
    readonly contact?: { readonly phone_number: string; readonly user_id?: number };
  };
}

const codeOf = (chatId: number) => String(chatId).slice(-6);

/** A bot that asks each for their contact, and sends who shared it a code. Answers what people did. */
function bot(sandbox: Sandbox) {
  const api = apiOf(sandbox);
  const done: string[] = [];
  let offset = 0;
  const turn = async () => {
    for (const { update_id, message } of (await api.getUpdates({ offset })) as Heard[]) {
      offset = update_id + 1;
      if (!message) continue;
      const { chat, text, contact } = message;
      done.push(`${chat.id} ${text ?? `${contact?.phone_number} of ${contact?.user_id}`}`);
      if (text === '/start')
        await api.sendMessage({
          chat_id: chat.id,
          text: 'Your phone?',
          reply_markup: { keyboard: [[{ text: 'Share', request_contact: true }]] },
        });
      if (contact) await api.sendMessage({ chat_id: chat.id, text: `Your code: ${codeOf(chat.id)}` });
    }
  };
  return { api, done, turn };
}

test('people of phones in a row write to the bot, share their own contact and type their code, eight at a time', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN } });
  const { done, turn } = bot(sandbox);
  const invited = await order(sandbox, { first_phone: '+998901000001', count: 20 });
  expect(invited).toEqual({ people: 20, joined: 0, pressed: 0, refused: 0, waiting: 20 });
  await turn();
  expect(done).toHaveLength(8);
  await until(async () => {
    await turn();
    return (await report(sandbox)).waiting === 0;
  });
  await turn();
  expect(await report(sandbox)).toMatchObject({ people: 20, joined: 20 });
  expect(done.filter((one) => one.startsWith('901000020 '))).toEqual([
    '901000020 /start',
    '901000020 +998901000020 of 901000020',
    `901000020 ${codeOf(901_000_020)}`,
  ]);
});

test('whose code came too late shares the contact again, and types the next one', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN } });
  const { api, done, turn } = bot(sandbox);
  await order(sandbox, { first_phone: '+998901000001', count: 1 });
  const joins = (times: number) =>
    until(async () => {
      await turn();
      return done.filter((one) => one === `901000001 ${codeOf(901_000_001)}`).length === times;
    });
  await joins(1);
  const again = { keyboard: [[{ text: 'Share', request_contact: true }]] };
  await api.sendMessage({ chat_id: 901_000_001, text: 'That code is over.', reply_markup: again });
  await joins(2);
  expect(await report(sandbox)).toMatchObject({ joined: 1 });
});

test('they press a link that begins as was said, an earlier one too, once; no other', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN } });
  const { api, turn } = bot(sandbox);
  const pages = await receiver(({ url }) => (url === '/pay/gone' ? 410 : 200));
  await order(sandbox, { first_phone: '+998901123456', count: 1 });
  await until(async () => {
    await turn();
    return (await report(sandbox)).joined === 1;
  });
  const say = (text: string) => api.sendMessage({ chat_id: 901_123_456, text });
  await say(`Bind your card:\n${pages.url}/pay/1\nor see ${pages.url}/other`);
  await order(sandbox, { presses: `${pages.url}/pay/` });
  await until(async () => (await report(sandbox)).pressed === 1);
  await say(`Again: ${pages.url}/pay/1 and ${pages.url}/pay/2, ${pages.url}/pay/gone`);
  await until(async () => (await report(sandbox)).waiting === 0 && pages.received.length > 2);
  expect(pages.received.map(({ url }) => url)).not.toContain('/other');
  expect(pages.received.filter(({ url }) => url === '/pay/1')).toHaveLength(1);
});

test.each([
  [{ first_phone: '901000001', count: 1 }, 'first_phone'],
  [{ first_phone: '+998901000001' }, 'count'],
  [{ first_phone: '+998901000001', count: 10_001 }, 'count'],
  [{ presses: 'payout-links' }, 'presses'],
  [{ phones: [] }, 'phones'],
])('an order of %o is refused at %s', async (body, place) => {
  expect(JSON.stringify(await order(await freshSandbox(), body, 400))).toContain(place);
});

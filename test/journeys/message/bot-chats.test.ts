import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';
import { startReceiver } from '../../support/webhook-receiver.ts';

const SLUG = 'school';
let navbat: Navbat;
let project: TestProject;
let nextGroup = -9_000;

beforeAll(async () => {
  const env = {
    TELEGRAM_MESSAGES_PER_SECOND: '290',
    TELEGRAM_CHAT_GAP_MS: '1',
    BOT_PROJECT: SLUG,
    WEBHOOK_ALLOW_PRIVATE: 'true',
  };
  navbat = await startNavbat({ env });
  project = await navbat.createProject();
  await navbat.db.query('update project set slug = $2 where id = $1', [project.id, SLUG]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
});
afterAll(() => navbat.stop());

const control = async (method: string, path: string, body: object): Promise<number> => {
  const { status } = await fetch(navbat.sandbox.url + path, { method, body: JSON.stringify(body) });
  return status;
};
const act = (body: object) => control('POST', '/telegram/updates', body);
const knowGroup = (chat_id: number, more: object = {}) =>
  control('PUT', '/telegram/chats', { chat_id, title: 'Class 7', ...more });

/** Telegram's word that the bot was let into a chat, or removed from it. */
const membership = (chat_id: number, status: string) => ({
  chat_id,
  update: {
    my_chat_member: {
      chat: { id: chat_id, type: chat_id < 0 ? 'group' : 'private' },
      from: { id: chat_id < 0 ? 4_711 : chat_id, is_bot: false, first_name: 'Aziza' },
      date: 1,
      old_chat_member: { status: 'left' },
      new_chat_member: { status },
    },
  },
});

const send = (chat_id: number, more: object = {}, by = project) =>
  by.call('POST', '/telegram/send', { to: { chat_id }, text: 'salom', ...more });

const job = (id: string, by = project) =>
  until(async () => {
    const { body } = await by.call('GET', `/jobs/${id}`);
    return body.finished_at !== null && body;
  });
const ended = async (chatId: number, by = project) => {
  const sent = await send(chatId, {}, by);
  expect(sent.status).toBe(202);
  return job(sent.body.job_id, by);
};
const closedChats = async (by = project) =>
  (await by.call('GET', '/telegram/chats?closed=true&limit=100')).body.data as { chat_id: string }[];
const isOpen = (chatId: number, by = project) =>
  until(async () => (await closedChats(by)).every(({ chat_id }) => chat_id !== String(chatId)));

describe('a group that the bot was not in yet', () => {
  test.each([
    ['its admin adds the bot', (id: number) => act(membership(id, 'member'))],
    ['its admin makes the bot an admin', (id: number) => act(membership(id, 'administrator'))],
    ['somebody writes /start there', (id: number) => act({ chat_id: id, text: '/start@sandbox_bot' })],
  ])('is closed for its projects alone, and opens when %s', async (_how, open) => {
    const id = nextGroup--;
    const other = await navbat.createProject();
    expect(await ended(id)).toMatchObject({ state: 'rejected', reason: 'chat-not-found' });
    expect(await closedChats()).toContainEqual(
      expect.objectContaining({
        chat_id: String(id),
        reason: 'chat-not-found',
        since: expect.any(String),
        next_step: expect.stringContaining('adds it to the group'),
      }),
    );
    expect(await closedChats(other), 'a project that never wrote there').toEqual([]);
    await knowGroup(id);
    expect(await open(id)).toBe(201);
    await isOpen(id);
    expect(await ended(id)).toMatchObject({ state: 'completed' });
    expect(await ended(id, other)).toMatchObject({ state: 'completed' });
  });

  test('and one that removed it is closed without a message that is lost, until it is let in again', async () => {
    const id = nextGroup--;
    await knowGroup(id);
    expect(await ended(id)).toMatchObject({ state: 'completed' });
    await act(membership(id, 'kicked'));
    await until(async () => {
      const { rows } = await navbat.db.query('select closed_reason from telegram_chat where chat_id = $1', [
        id,
      ]);
      return rows[0]?.closed_reason === 'bot-kicked';
    });
    const calls = navbat.sandbox.calls({ to: String(id) }).length;
    expect(await ended(id)).toMatchObject({ state: 'rejected', reason: 'bot-kicked' });
    expect(navbat.sandbox.calls({ to: String(id) })).toHaveLength(calls);
    await act(membership(id, 'member'));
    await isOpen(id);
    expect(await ended(id)).toMatchObject({ state: 'completed' });
  });
});

test('a chat may be opened by staff, and a /stop may not', async () => {
  const { telegramChats } = await import('../../../infra/postgres/telegram/chats.ts');
  const chats = telegramChats(navbat.db);
  const id = nextGroup--;
  await ended(id);
  expect(await chats.open(String(id), new Date())).toBe('opened');
  expect(await chats.open(String(id), new Date())).toBe('not-closed');
  await isOpen(id);

  const person = 5_555_001;
  await act({ chat_id: person, text: '/stop' });
  await until(async () => (await chats.open(String(person), new Date())) === 'opted-out');
});

test('what was closed a week ago asks Telegram again, and a /stop does not', async () => {
  const { reopenChats } = await import('../../../infra/postgres/telegram/chats.ts');
  const id = nextGroup--;
  await ended(id);
  await reopenChats(navbat.db, new Date(Date.now() + 6 * 86_400_000));
  expect(await closedChats()).toContainEqual(expect.objectContaining({ chat_id: String(id) }));
  const person = 5_555_002;
  await act({ chat_id: person, text: '/stop' });
  const reasonOf = async (chatId: number) =>
    (await navbat.db.query('select closed_reason from telegram_chat where chat_id = $1', [chatId])).rows[0]
      ?.closed_reason;
  await until(async () => (await reasonOf(person)) === 'opted-out');
  await reopenChats(navbat.db, new Date(Date.now() + 8 * 86_400_000));
  expect(await closedChats()).not.toContainEqual(expect.objectContaining({ chat_id: String(id) }));
  expect(await reasonOf(person)).toBe('opted-out');
});

test('block and unblock of twenty chats in one batch leave all twenty open', async () => {
  const people = Array.from({ length: 20 }, (_, index) => 5_600_000 + index);
  for (const id of people) await act(membership(id, 'kicked'));
  for (const id of people) await act(membership(id, 'member'));
  await until(async () => {
    const { rows } = await navbat.db.query(
      'select count(*)::int open from telegram_chat where chat_id = any($1) and closed_reason is null and opened_at is not null',
      [people],
    );
    return rows[0].open === people.length;
  });
});

/** A project of its own with an endpoint for one type. */
async function listener(type: string) {
  const receiver = await startReceiver();
  const own = await navbat.createProject();
  const endpoint = await own.call('POST', '/webhooks/endpoints', { url: receiver.url, event_types: [type] });
  expect(endpoint.status).toBe(201);
  const events = () => receiver.received.map(({ body }) => JSON.parse(body));
  return { own, events };
}

describe('a group that became a supergroup', () => {
  test('is written to at its new id from the refusal on, and its projects are told once', async () => {
    const [from, to] = [nextGroup--, -1_000_000_000_000 + nextGroup--];
    const { own, events } = await listener('telegram.chat_migrated');
    await own.call('PUT', '/recipients', { handle: 'class-7', telegram_chat_id: from });
    await knowGroup(from);
    expect(await ended(from, own)).toMatchObject({ state: 'completed' });
    // The bot hears of it by the refusal and by both service messages.
    await knowGroup(from, { migrate_to_chat_id: to });
    expect(await ended(from, own)).toMatchObject({ state: 'completed' });
    expect(navbat.sandbox.inbox({ to: String(to) })).toHaveLength(1);

    await until(async () => events().length > 0);
    const calls = navbat.sandbox.calls({ to: String(from) }).length;
    expect(await ended(from, own)).toMatchObject({ state: 'completed' });
    expect(navbat.sandbox.calls({ to: String(from) }), 'the old id is asked no more').toHaveLength(calls);
    const { body } = await own.call('GET', '/recipients');
    expect(body.data).toMatchObject([{ handle: 'class-7', telegram_chat_id: to }]);
    expect(events()).toMatchObject([
      {
        type: 'telegram.chat_migrated',
        data: { from_chat_id: from, to_chat_id: to, recipient_id: body.data[0].id },
      },
    ]);
  });

  test('a service message alone leads on what is sent to the old id', async () => {
    const [from, to] = [nextGroup--, -1_000_000_000_000 + nextGroup--];
    await knowGroup(from, { migrate_to_chat_id: to });
    await until(async () => {
      const { rows } = await navbat.db.query('select migrated_to from telegram_chat where chat_id = $1', [
        from,
      ]);
      return rows[0]?.migrated_to === String(to);
    });
    expect(await ended(from)).toMatchObject({ state: 'completed' });
    expect(navbat.sandbox.calls({ to: String(from) })).toEqual([]);
  });
});

describe("a project's own button", () => {
  const buttons = [[{ text: 'Ha', callback_data: 'order:17:yes' }]];
  const pressing = async (chat: number, data: string, own: TestProject) => {
    const sent = await send(chat, { buttons }, own);
    await job(sent.body.job_id, own);
    const [message] = navbat.sandbox.inbox({ to: String(chat) });
    const message_id = Number(message?.provider_reference);
    expect(await act({ chat_id: chat, callback: { message_id, data } })).toBe(201);
    return { jobId: sent.body.job_id, broadcastId: sent.body.id, message_id };
  };
  const answers = () =>
    navbat.sandbox.calls().filter(({ method }) => method === 'answerCallbackQuery').length;

  test('is answered, and told to the project whose message it stands under', async () => {
    const { own, events } = await listener('telegram.callback');
    const stranger = await listener('telegram.callback');
    const before = answers();
    const { jobId, broadcastId, message_id } = await pressing(5_700_001, 'order:17:yes', own);
    await until(async () => events().length > 0);
    expect(answers()).toBe(before + 1);
    expect(events()).toMatchObject([
      {
        type: 'telegram.callback',
        data: {
          data: 'order:17:yes',
          chat_id: 5_700_001,
          message_id,
          user_id: 5_700_001,
          job_id: jobId,
          broadcast_id: broadcastId,
        },
      },
    ]);
    expect(stranger.events()).toEqual([]);
  });

  test('data that the message never had is answered, and told to nobody', async () => {
    const { own, events } = await listener('telegram.callback');
    const before = answers();
    await pressing(5_700_002, 'order:17:forged', own);
    await until(async () => answers() === before + 1);
    await pressing(5_700_003, 'order:17:yes', own);
    await until(async () => events().length > 0);
    expect(events().map(({ data }) => data.chat_id)).toEqual([5_700_003]);
  });
});

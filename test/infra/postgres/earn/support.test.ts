import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MESSAGES_A_DAY_MAX, MESSAGES_MAX, type SupportId } from '../../../../domain/earn/support/support.ts';
import { staffSupport } from '../../../../infra/postgres/earn/support/desk.ts';
import { supportNotices } from '../../../../infra/postgres/earn/support/notices.ts';
import { personSupport } from '../../../../infra/postgres/earn/support/requests.ts';
import { openOrm } from '../../../../infra/postgres/engine/orm.ts';
import { recipientStore } from '../../../../infra/postgres/identity/recipient/recipients.ts';
import { noteChange } from './audited.ts';
import { DAY_MS, openEarnWorld } from './earn-world.ts';

async function openSupportWorld() {
  const world = await openEarnWorld();
  const { pool, owner, projectId, finance } = world;
  const [support, desk] = [personSupport(pool, projectId), staffSupport(pool, projectId, noteChange)];
  const by = { id: finance, email: `${finance}@navbat.example`, role: 'operator' } as const;
  const open = (personId: string, subject: string = `Unpaid ${randomUUID()}`) =>
    support.open({ personId, subject, text: 'Why was I not paid?', locale: null });
  return {
    ...world,
    support,
    desk,
    by,
    open,
    opened: async (personId: string, subject?: string): Promise<SupportId> => {
      const done = await open(personId, subject ?? 'Unpaid');
      if (!done.ok) throw new Error(done.reason);
      return done.request.id;
    },
    answer: (id: SupportId, closes = false) => desk.answer({ id, text: 'Because.', closes, by }),
    /** With a recipient of the project, and a chat where one is given. */
    known: async (chat: number | null, locale = 'ru') => {
      const [personId, recipientId] = [randomUUID(), randomUUID()];
      await owner.query('insert into person (id, created_at) values ($1, now())', [personId]);
      await owner.query(
        `insert into recipient (id, project_id, person_id, address_hash, telegram_chat_id, locale, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, now(), now())`,
        [recipientId, projectId, personId, randomBytes(32), chat, locale],
      );
      return { personId, recipientId };
    },
  };
}
type World = Awaited<ReturnType<typeof openSupportWorld>>;

const stateOf = async ({ support }: World, personId: string, id: SupportId) =>
  (await support.read(personId, id))?.state;

describe('a request to support', () => {
  test('is answered, opened again by a reply, and closed; the person reads all of it', async () => {
    const world = await openSupportWorld();
    const { support, desk, by, answer, opened } = world;
    const person = randomUUID();
    const id = await opened(person);
    expect(await stateOf(world, person, id)).toBe('open');
    expect(await answer(id)).toMatchObject({ ok: true, request: { state: 'answered' } });
    expect(await support.reply(person, id, 'And the rest?')).toMatchObject({ request: { state: 'open' } });
    expect(await answer(id, true)).toMatchObject({ request: { state: 'closed' } });
    expect(await support.reply(person, id, 'Still not.')).toMatchObject({ request: { state: 'open' } });
    expect(await desk.close(id, by)).toMatchObject({ ok: true, request: { state: 'closed' } });
    const thread = (await support.read(person, id))?.thread.map((one) => [one.by, one.text]);
    expect(thread).toEqual([
      [null, 'Why was I not paid?'],
      [by.email, 'Because.'],
      [null, 'And the rest?'],
      [by.email, 'Because.'],
      [null, 'Still not.'],
    ]);
  });

  test('that is sent twice at once, word for word, is one, until it is closed', async () => {
    const { open, support } = await openSupportWorld();
    const person = randomUUID();
    const both = await Promise.all([1, 2].map(() => open(person, 'Unpaid')));
    const ids = both.map((one) => (one.ok ? one.request.id : one.reason));
    expect(new Set(ids).size).toBe(1);
    await support.close(person, ids[0] as SupportId);
    expect(await open(person, 'Unpaid')).toMatchObject({ ok: true, request: { messages: 1 } });
    expect((await support.list(person, { limit: 10, after: null })).rows).toHaveLength(2);
  });

  test('of another is as unknown as one that there is not', async () => {
    const { support, opened } = await openSupportWorld();
    const id = await opened(randomUUID());
    const other = randomUUID();
    expect(await support.read(other, id)).toBeNull();
    expect(await support.reply(other, id, 'Hello')).toEqual({ ok: false, reason: 'unknown-request' });
    expect(await support.close(other, id)).toEqual({ ok: false, reason: 'unknown-request' });
    expect((await support.list(other, { limit: 10, after: null })).rows).toEqual([]);
  });

  test('is the third of a person at the most, however many they send at once; a closed one makes room', async () => {
    const { open, support } = await openSupportWorld();
    const person = randomUUID();
    const done = await Promise.all(Array.from({ length: 8 }, () => open(person)));
    const ids = done.flatMap((one) => (one.ok ? [one.request.id] : []));
    expect(ids).toHaveLength(3);
    expect(done.filter((one) => !one.ok && one.reason === 'support-open-limit')).toHaveLength(5);
    const [first] = ids;
    if (!first) throw new Error('none was opened');
    await support.close(person, first);
    expect(await open(person)).toMatchObject({ ok: true });
    // A reply would open the closed one: a fourth.
    expect(await support.reply(person, first, 'Again')).toEqual({
      ok: false,
      reason: 'support-open-limit',
    });
  });

  test('takes as many messages as a day has, and the next one a day later', async () => {
    const { support, opened, forward, owner } = await openSupportWorld();
    const person = randomUUID();
    const id = await opened(person);
    for (let n = 1; n < MESSAGES_A_DAY_MAX; n++) await support.reply(person, id, `Message ${n}`);
    const full = { ok: false, reason: 'support-day-limit' };
    expect(await support.reply(person, id, 'One more')).toEqual(full);
    await forward(DAY_MS + 1_000);
    expect(await support.reply(person, id, 'The next day')).toMatchObject({ ok: true });
    await owner.query('update support_request set messages = $2 where id = $1', [id, MESSAGES_MAX]);
    expect(await support.reply(person, id, 'Too long')).toEqual({ ok: false, reason: 'support-full' });
  });

  test('keeps no number of a card, from a person or from staff', async () => {
    const { support, desk, by, opened, owner } = await openSupportWorld();
    const person = randomUUID();
    const id = await opened(person);
    const text = 'My card is 8600 0000 0000 0007, pay it';
    const refused = { ok: false, reason: 'card-number' };
    expect(await support.reply(person, id, text)).toEqual(refused);
    expect(await support.open({ personId: person, subject: text, text: 'x', locale: 'uz' })).toEqual(refused);
    expect(await desk.answer({ id, text, closes: false, by })).toEqual(refused);
    await expect(
      owner.query('insert into support_message (request_id, text, at) values ($1, $2, now())', [id, text]),
    ).rejects.toMatchObject({ code: '23514' });
  });

  test('is told to the project that listens, as it opens and as a reply opens it again', async () => {
    const { known, opened, answer, support, owner, pool, projectId } = await openSupportWorld();
    await owner.query(
      `insert into webhook_endpoint (id, project_id, mode, url, host, event_types, created_at, updated_at)
       values (uuidv7(), $1, 'live', 'https://example.com/n', 'example.com', null, now(), now())`,
      [projectId],
    );
    const { personId, recipientId } = await known(null);
    const id = await opened(personId);
    await support.reply(personId, id, 'While it is open');
    await answer(id);
    await support.reply(personId, id, 'And again');
    const { rows } = await pool.query('select type, data from webhook_event order by id');
    expect(rows).toMatchObject(
      [1, 2].map(() => ({ type: 'support.opened', data: { id, recipient_id: recipientId, locale: 'ru' } })),
    );
  });
});

describe('staff', () => {
  test('have those in a state, the oldest first, page by page', async () => {
    const { desk, opened, answer } = await openSupportWorld();
    const ids = [await opened(randomUUID()), await opened(randomUUID()), await opened(randomUUID())];
    await answer(ids[1] as SupportId);
    const page = await desk.list('open', { limit: 1, after: null });
    expect(page.rows.map(({ id }) => id)).toEqual([ids[0]]);
    const next = await desk.list('open', { limit: 1, after: page.next });
    expect(next).toMatchObject({ rows: [{ id: ids[2] }], next: null });
    expect((await desk.list('answered', { limit: 10, after: null })).rows.map(({ id }) => id)).toEqual([
      ids[1],
    ]);
  });

  test('leave a row of the audit for each change, and none for what changes nothing', async () => {
    const { desk, by, opened, answer, pool } = await openSupportWorld();
    const id = await opened(randomUUID());
    await answer(id);
    await answer(id, true);
    await desk.close(id, by);
    const other = await opened(randomUUID());
    await Promise.all([desk.close(other, by), desk.close(other, by)]);
    const { rows } = await pool.query(
      `select subject, detail ->> 'did' did from audit where action = 'support.answer' order by id`,
    );
    expect(rows).toEqual([
      { subject: id, did: 'answer' },
      { subject: id, did: 'answer-and-close' },
      { subject: other, did: 'close' },
    ]);
  });

  test('are told whether the person has a chat to be told in', async () => {
    const { known, opened, answer } = await openSupportWorld();
    const [inChat, nowhere] = [await known(7_001), await known(null)];
    expect(await answer(await opened(inChat.personId))).toMatchObject({ reached: true });
    expect(await answer(await opened(nowhere.personId))).toMatchObject({ reached: false });
  });
});

test('each answer is handed over once, with the chats of its person, also where the first try failed', async () => {
  const { known, opened, answer, support, pool } = await openSupportWorld();
  const [inChat, nowhere] = [await known(7_001), await known(null)];
  const id = await opened(inChat.personId, 'Megabytes');
  await answer(id);
  await answer(await opened(nowhere.personId));
  await support.reply(inChat.personId, id, 'Thank you');
  const told: object[] = [];
  const round = () =>
    supportNotices(pool).take(
      10,
      async (due) =>
        void told.push(
          ...due.map(({ subject, text, locale, chatIds }) => ({ subject, text, locale, chatIds })),
        ),
    );
  const fails = supportNotices(pool).take(10, () => Promise.reject(new Error('cut off')));
  await expect(fails).rejects.toThrow('cut off');
  await Promise.all([round(), round()]);
  expect(await round()).toBe(0);
  expect(told).toEqual([
    { subject: 'Megabytes', text: 'Because.', locale: 'ru', chatIds: ['7001'] },
    { subject: 'Unpaid', text: 'Because.', locale: 'ru', chatIds: [] },
  ]);
});

test('what a person asked is forgotten with them, and a year after it was closed', async () => {
  const { known, opened, answer, url, hash, rowEncryption, projectId, pool, reconciler, forward, now } =
    await openSupportWorld();
  const [gone, stays, old] = [await known(7_001), await known(7_002), await known(7_003)];
  await answer(await opened(gone.personId));
  const kept = await opened(stays.personId);
  await answer(await opened(old.personId), true);
  const orm = await openOrm(url);
  try {
    const recipients = recipientStore(orm.em, { keyedHash: hash, encryption: rowEncryption });
    expect(await recipients.erase(projectId, gone.recipientId as never)).toBe(true);
  } finally {
    await orm.close(true);
  }
  const left = async () =>
    (await pool.query('select person_id from support_request order by id')).rows.map((row) => row.person_id);
  expect(await left()).toEqual([stays.personId, old.personId]);
  expect((await pool.query('select count(*)::int n from support_message')).rows).toEqual([{ n: 3 }]);
  await forward(366 * DAY_MS);
  await reconciler.retire(now(), { jobDays: 30, phoneDays: 30 });
  expect((await pool.query('select id from support_request')).rows).toEqual([{ id: kept }]);
});

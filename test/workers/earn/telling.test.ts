import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { staffNews } from '../../../infra/postgres/earn/news/news.ts';
import { staffSupport } from '../../../infra/postgres/earn/support/desk.ts';
import { personSupport } from '../../../infra/postgres/earn/support/requests.ts';
import { telegramJobs } from '../../../infra/postgres/message/broadcast/message-jobs.ts';
import { preferencesLinks } from '../../../infra/postgres/message/preferences/links.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { tellingTicks } from '../../../workers/earn/telling/wire.ts';
import type { WorkerPlatform } from '../../../workers/wire.ts';
import { noteChange } from '../../infra/postgres/earn/audited.ts';
import { openEarnWorld } from '../../infra/postgres/earn/earn-world.ts';

const categories = {
  message_categories: [{ name: 'service' }, { name: 'offers', marketing: true, stop_button: true }],
};

/** The ticks as the reconciler has them, over a real Postgres; what they hand over is read as a worker reads it. */
async function openTelling() {
  const world = await openEarnWorld({ require_counterpart: 'pay', ...categories });
  const { pool, owner, projectId, ring, now } = world;
  const config = { PEPPER: randomBytes(32).toString('base64url'), ENCRYPTION_KEYS: ring };
  const platform = { configOf: () => config, clock: now } as unknown as WorkerPlatform;
  const ticks = tellingTicks(platform, pool, projectId);
  const hash = keyedHash(config.PEPPER);
  const work = telegramJobs(pool, { now, links: preferencesLinks(hash, 'https://navbat.example') });
  const by = { id: world.finance, email: 'staff@navbat.example', role: 'operator' } as const;
  return {
    ...world,
    by,
    tick: (name: 'tell-news' | 'tell-support') => ticks[name]?.(),
    person: async (
      chat: number | null,
      { locale = 'uz', token, off = [] }: { locale?: string; token?: string; off?: readonly string[] } = {},
    ) => {
      const [personId, id] = [randomUUID(), randomUUID()];
      await owner.query('insert into person (id, created_at) values ($1, now())', [personId]);
      await owner.query(
        `insert into recipient (id, project_id, person_id, address_hash, telegram_chat_id, push_token_encrypted, push_token_hash, locale, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, now() - interval '1 minute', now())`,
        [
          id,
          projectId,
          personId,
          randomBytes(32),
          chat,
          token === undefined ? null : rowEncryption(ring).encrypt(token, id),
          token === undefined ? null : hash('push-token', token),
          locale,
        ],
      );
      if (off.length > 0)
        await pool.query(
          `insert into message_preference (recipient_id, project_id, categories_off, changed_by, changed_at) values ($1, $2, $3, 'page', now())`,
          [id, projectId, off],
        );
      return personId;
    },
    broadcasts: async () =>
      (
        await pool.query<Record<string, unknown>>(
          `select kind, category, total, coalesce(content ->> 'text', content -> 'notification' ->> 'body') said, stop_labels is not null stops
           from broadcast where project_id = $1 order by kind desc, content ->> 'text'`,
          [projectId],
        )
      ).rows,
    /** What becomes of each Telegram message, by its chat: a text, or why there is none. */
    works: async () => {
      const { rows } = await pool.query<{ id: JobId; chat_id: string }>(
        `select id, chat_id::text from job where kind = 'telegram-message' order by chat_id`,
      );
      const read = await Promise.all(rows.map(({ id }) => work(id)));
      return rows.map(({ chat_id: chatId }, n) => {
        const found = read[n]?.work;
        return [
          chatId,
          found && 'reason' in found ? found.reason : found && 'content' in found && found.content.text,
        ];
      });
    },
  };
}

test('what is published is told once, by Telegram and push, in each person’s language, and not to who switched it off', async () => {
  const { pool, projectId, by, person, tick, broadcasts, works } = await openTelling();
  await person(7_001);
  await person(7_002, { locale: 'en', token: 'device-of-7002' });
  await person(7_003, { off: ['offers'] });
  await person(null, { token: 'device-of-nobody' });
  await person(null);
  const news = staffNews(pool, projectId, noteChange);
  const words = { uz: { title: 'Narx', text: 'Yuqori' }, en: { title: 'Price', text: 'Higher' } };
  const { id, version } = await news.create({ words, category: 'offers', by });
  expect(await tick('tell-news')).toBeGreaterThan(0);
  expect(await broadcasts()).toEqual([]);
  await Promise.all([news.publish(id, version, by), news.publish(id, version, by)]);
  await Promise.all([tick('tell-news'), tick('tell-news')]);
  await tick('tell-news');
  const of = { category: 'offers', stops: true };
  expect(await broadcasts()).toEqual([
    { ...of, kind: 'telegram-message', total: 2, said: 'Narx\n\nYuqori' },
    { ...of, kind: 'telegram-message', total: 1, said: 'Price\n\nHigher' },
    { ...of, kind: 'push', total: 1, said: expect.any(String) },
    { ...of, kind: 'push', total: 1, said: expect.any(String) },
  ]);
  expect(await works()).toEqual([
    ['7001', 'Narx\n\nYuqori'],
    ['7002', 'Price\n\nHigher'],
    ['7003', 'category-off'],
  ]);
  expect(await news.find(id)).toMatchObject({ told: 4, toldAt: expect.any(Date) });
});

test('a round that was cut off after its messages were taken tells nobody twice', async () => {
  const { pool, owner, projectId, by, person, tick, broadcasts } = await openTelling();
  await person(7_001);
  const news = staffNews(pool, projectId, noteChange);
  const { id, version } = await news.create({
    words: { uz: { title: 'A', text: 'B' } },
    category: 'service',
    by,
  });
  await news.publish(id, version, by);
  await tick('tell-news');
  // As if the process had died between the two commits.
  await owner.query('update announcement set told_at = null, told_after = null, told = 0');
  await tick('tell-news');
  expect(await broadcasts()).toHaveLength(1);
  expect(await news.find(id)).toMatchObject({ told: 1 });
});

test('an answer of support is told once, in the chats of its person and their language, and waits for no other', async () => {
  const { pool, projectId, by, person, tick, works, broadcasts } = await openTelling();
  const [inChat, nowhere] = [await person(7_001, { locale: 'ru' }), await person(null)];
  const [support, desk] = [personSupport(pool, projectId), staffSupport(pool, projectId, noteChange)];
  for (const personId of [inChat, nowhere]) {
    const opened = await support.open({ personId, subject: 'Мегабайты', text: 'Почему?', locale: null });
    if (!opened.ok) throw new Error(opened.reason);
    await desk.answer({ id: opened.request.id, text: 'Потому.', closes: false, by });
  }
  await Promise.all([tick('tell-support'), tick('tell-support')]);
  await tick('tell-support');
  const said = 'Служба поддержки ответила на ваше обращение «Мегабайты»:\n\nПотому.';
  expect(await works()).toEqual([['7001', said]]);
  expect(await broadcasts()).toMatchObject([{ category: 'service', total: 1 }]);
});

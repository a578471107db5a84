import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { NewsRound } from '../../../../domain/earn/news/fan-out.ts';
import type { NewsId } from '../../../../domain/earn/news/news.ts';
import { staffNews } from '../../../../infra/postgres/earn/news/news.ts';
import { readNews } from '../../../../infra/postgres/earn/news/read-news.ts';
import { newsRounds } from '../../../../infra/postgres/earn/news/rounds.ts';
import { noteChange } from './audited.ts';
import { openEarnWorld } from './earn-world.ts';

const words = { en: { title: 'News', text: 'There are some.' } };

async function openNewsWorld() {
  const world = await openEarnWorld();
  const { pool, owner, projectId, finance } = world;
  const by = { id: finance, email: `${finance}@navbat.example`, role: 'operator' } as const;
  const [staff, read] = [staffNews(pool, projectId, noteChange), readNews(pool, projectId)];
  const draft = () => staff.create({ words, category: 'service', by });
  return {
    ...world,
    by,
    staff,
    read,
    draft,
    rounds: newsRounds(pool, projectId),
    published: async (): Promise<NewsId> => {
      const { id, version } = await draft();
      await staff.publish(id, version, by);
      return id;
    },
    /** So many live people of the project, in the order of their ids. */
    people: async (count: number, { mode = 'live', app = false } = {}): Promise<readonly string[]> => {
      const ids: string[] = [];
      for (let n = 0; n < count; n++) {
        const [personId, recipientId] = [randomUUID(), randomUUID()];
        await owner.query('insert into person (id, mode, created_at) values ($1, $2, now())', [
          personId,
          mode,
        ]);
        await owner.query(
          `insert into recipient (id, project_id, person_id, address_hash, telegram_chat_id, push_token_encrypted, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, now() - interval '1 minute', now())`,
          [recipientId, projectId, personId, randomBytes(32), 7_000 + n, app ? Buffer.from('x') : null],
        );
        ids.push(recipientId);
      }
      return ids.toSorted();
    },
  };
}

test('a draft is changed in the version that was read; what is published stays, and is read', async () => {
  const { staff, read, draft, by, owner } = await openNewsWorld();
  const { id, version } = await draft();
  expect(await read.find(id)).toBeNull();
  const changed = await staff.change(id, version, { words, category: 'marketing', by });
  expect(changed).toMatchObject({ ok: true, news: { version: version + 1, category: 'marketing' } });
  const stale = { ok: false, reason: 'stale-version' };
  expect(await staff.change(id, version, { words, category: 'service', by })).toEqual(stale);
  expect(await staff.publish(id, version, by)).toEqual(stale);
  expect(await staff.publish(id, version + 1, by)).toMatchObject({ news: { state: 'published' } });
  expect(await staff.change(id, version + 2, { words, category: 'service', by })).toEqual({
    ok: false,
    reason: 'news-published',
  });
  expect(await read.find(id)).toMatchObject({ id, words });
  for (const change of [`update announcement set words = '{"en":{}}'`, 'delete from announcement'])
    await expect(owner.query(change)).rejects.toMatchObject({ code: 'NB009' });
});

test('news is read in the order in which it was published, page by page, and no draft of it', async () => {
  const { staff, read, draft, by } = await openNewsWorld();
  const drafts = [await draft(), await draft(), await draft()] as const;
  for (const n of [2, 0, 1] as const) await staff.publish(drafts[n].id, drafts[n].version, by);
  await draft();
  const first = await read.list({ limit: 2, after: null });
  expect(first.rows.map(({ id }) => id)).toEqual([drafts[1].id, drafts[0].id]);
  const second = await read.list({ limit: 2, after: first.next });
  expect(second).toMatchObject({ rows: [{ id: drafts[2].id }], next: null });
  expect((await staff.list('draft', { limit: 10, after: null })).rows).toHaveLength(1);
});

test('published twice at once, it is published once, with one row of the audit', async () => {
  const { staff, draft, by, pool } = await openNewsWorld();
  const { id, version } = await draft();
  const done = await Promise.all(Array.from({ length: 5 }, () => staff.publish(id, version, by)));
  expect(done.every(({ ok }) => ok)).toBe(true);
  expect(new Set(done.map((one) => (one.ok ? one.news.publishedAt?.getTime() : 0))).size).toBe(1);
  const { rows } = await pool.query(
    `select detail ->> 'did' did from audit where action = 'news.write' and subject = $1 order by id`,
    [id],
  );
  expect(rows).toEqual([{ did: 'create' }, { did: 'publish' }]);
});

test('each person of the project is handed over once, in rounds, also where one was cut off', async () => {
  const { rounds, people, published, staff, draft, by } = await openNewsWorld();
  const ids = await people(5);
  await people(1, { mode: 'test' });
  const id = await published();
  const seen: NewsRound[] = [];
  const take = () => rounds.take(2, async (round) => void seen.push(round));
  expect(await take()).toBe(true);
  await expect(rounds.take(2, () => Promise.reject(new Error('cut off')))).rejects.toThrow('cut off');
  // While one has the round, another finds none.
  const isFirst = rounds.take(2, async (round) => {
    seen.push(round);
    expect(await take()).toBe(false);
  });
  expect(await isFirst).toBe(true);
  expect([await take(), await take()]).toEqual([true, false]);
  expect(seen.flatMap(({ recipients }) => recipients.map((one) => one.id))).toEqual(ids);
  expect(seen.map(({ after }) => after)).toEqual([null, ids[1], ids[3]]);
  expect(await staff.find(id)).toMatchObject({ told: 5, toldAt: expect.any(Date) });
  // Published again, nobody is told again.
  await staff.publish(id, 2, by);
  await draft();
  expect(await take()).toBe(false);
});

test('who came after it was published is not told of it', async () => {
  const { rounds, people, published, owner } = await openNewsWorld();
  const ids = await people(2, { app: true });
  await owner.query(`update recipient set created_at = now() + interval '1 hour' where id = $1`, [ids[0]]);
  await published();
  const seen: NewsRound[] = [];
  await rounds.take(10, async (round) => void seen.push(round));
  expect(seen[0]?.recipients).toEqual([{ id: ids[1], locale: 'uz', hasChat: true, hasApp: true }]);
});

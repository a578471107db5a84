import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { REFUSAL_KEPT_MS } from '../../../../domain/verify/text-moderation.ts';
import { templateLists, textModeration } from '../../../../infra/postgres/verify/text-moderation.ts';
import { freshDatabase } from '../../../support/servers.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let pool: pg.Pool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 8 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
let nowMs = 0;
const now = () => new Date(nowMs);
beforeEach(async () => {
  nowMs = Date.parse('2026-11-20T10:00:00Z');
  await pool.query('truncate sms_template_list, sms_refused_text');
});
/** Another worker, which remembers nothing. */
const fresh = () => textModeration(pool, now);
const lists = () => templateLists(pool, now);
const listed = (template: string, status = 'service') => ({
  template,
  status,
  isApproved: status === 'service',
});
const text = 'Shop: kod 123456, 5 min';

test('one of many processes reads a list, and the next reading is due ten minutes later', async () => {
  const claimed = async () =>
    (await Promise.all(Array.from({ length: 8 }, () => lists().claim('eskiz')))).filter(Boolean).length;
  expect(await claimed()).toBe(1);
  nowMs += 599_999;
  expect(await claimed()).toBe(0);
  nowMs += 1;
  expect(await claimed()).toBe(1);
});

test('a list that was kept says which texts are approved, and since when', async () => {
  await lists().claim('eskiz');
  await lists().keep('eskiz', [listed('%w: kod %d, %d min')]);
  const first = now();
  nowMs += 600_000;
  await lists().keep('eskiz', [listed('%w: kod %d, %d min'), listed('Salom %w', 'inproccess')]);
  expect(await fresh().of('eskiz', text)).toEqual({ state: 'approved', said: 'service', since: first });
  expect(await fresh().of('eskiz', 'Salom Aziza')).toEqual({
    state: 'not-approved',
    said: 'inproccess',
    since: now(),
  });
  expect(await fresh().of('eskiz', 'Xayr')).toEqual({ state: 'not-approved', said: null, since: now() });
  expect(await fresh().of('play-mobile', text)).toMatchObject({ state: 'unknown' });
});

test('a refusal holds for every code of its wording, for an hour after the last one, and since the first', async () => {
  const first = now();
  await fresh().refused('play-mobile', text, 'not approved');
  nowMs += REFUSAL_KEPT_MS - 1;
  const same = 'Shop: kod 87654321, 12 min';
  await fresh().refused('play-mobile', same, 'not approved');
  nowMs += REFUSAL_KEPT_MS - 1;
  expect(await fresh().of('play-mobile', text)).toEqual({
    state: 'not-approved',
    said: 'not approved',
    since: first,
  });
  expect(await fresh().of('play-mobile', 'Shop: code 123456')).toMatchObject({ state: 'unknown' });
  expect(await fresh().of('eskiz', text)).toMatchObject({ state: 'unknown' });
  nowMs += 1;
  expect(await fresh().of('play-mobile', text)).toMatchObject({ state: 'unknown' });
});

test('a worker knows of its own refusal at once, and of another one’s within five seconds', async () => {
  const [mine, other] = [fresh(), fresh()];
  expect(await mine.of('eskiz', text)).toMatchObject({ state: 'unknown' });
  expect(await other.of('eskiz', text)).toMatchObject({ state: 'unknown' });
  await mine.refused('eskiz', text, null);
  expect(await mine.of('eskiz', text)).toMatchObject({ state: 'not-approved' });
  await expect
    .poll(async () => (await other.of('eskiz', text)).state, { timeout: 20_000 })
    .toBe('not-approved');
});

test('after a refusal the list is read again, a minute after it was read last', async () => {
  await lists().claim('eskiz');
  await lists().keep('eskiz', [listed('%w: kod %d, %d min')]);
  nowMs += 10_000;
  await fresh().refused('eskiz', text, null);
  expect(await lists().claim('eskiz')).toBe(false);
  nowMs += 50_000;
  expect(await lists().claim('eskiz')).toBe(true);
});

test('neither a code nor a text is in the table', async () => {
  await fresh().refused('eskiz', text, null);
  const { rows } = await pool.query<{ wording: Buffer }>('select * from sms_refused_text');
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows) + rows[0]?.wording.toString('latin1')).not.toMatch(/123456|Shop|kod/);
});

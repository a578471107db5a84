import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ProjectId } from '../../../../domain/shared/ids.ts';
import { ANSWER_KEPT_MS } from '../../../../domain/verify/text-moderation.ts';
import { templateLists, textModeration } from '../../../../infra/postgres/verify/text-moderation.ts';
import { freshDatabase } from '../../../support/servers.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let pool: pg.Pool;
let owner: pg.Pool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 8 });
  owner = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
});
afterAll(async () => {
  await Promise.all([pool.end(), owner.end()]);
  await database.drop();
});
let nowMs = 0;
const now = () => new Date(nowMs);
beforeEach(async () => {
  nowMs = Date.parse('2026-11-20T10:00:00Z');
  await owner.query('truncate sms_template_list, sms_text_answer');
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
const shop = ProjectId.parse(randomUUID());
const sent = (provider: string, said: string, projectId = shop) => ({ provider, projectId, text: said });

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
  await lists().keep('eskiz', { templates: [listed('%w: kod %d, %d min')], unread: 0 });
  const first = now();
  nowMs += 600_000;
  await lists().keep('eskiz', {
    templates: [listed('%w: kod %d, %d min'), listed('Salom %w', 'inproccess')],
    unread: 0,
  });
  expect(await fresh().of(sent('eskiz', text))).toEqual({
    state: 'approved',
    said: 'service',
    since: first,
    by: 'list',
  });
  expect(await fresh().of(sent('eskiz', 'Salom Aziza'))).toEqual({
    state: 'not-approved',
    said: 'inproccess',
    since: now(),
    by: 'list',
  });
  expect(await fresh().of(sent('eskiz', 'Xayr'))).toEqual({
    state: 'not-approved',
    said: null,
    since: now(),
    by: 'list',
  });
  expect(await fresh().of(sent('play-mobile', text))).toMatchObject({ state: 'unknown' });
});

test('a refusal holds for every code of its wording, for an hour after the last one, and since the first', async () => {
  const first = now();
  await fresh().refused(sent('play-mobile', text), 'not approved');
  nowMs += ANSWER_KEPT_MS - 1;
  const same = 'Shop: kod 876543, 7 min';
  await fresh().refused(sent('play-mobile', same), 'not approved');
  nowMs += ANSWER_KEPT_MS - 1;
  expect(await fresh().of(sent('play-mobile', text))).toEqual({
    state: 'not-approved',
    said: 'not approved',
    since: first,
    by: 'answer',
  });
  expect(await fresh().of(sent('play-mobile', 'Shop: code 123456'))).toMatchObject({ state: 'unknown' });
  expect(await fresh().of(sent('eskiz', text))).toMatchObject({ state: 'unknown' });
  nowMs += 1;
  expect(await fresh().of(sent('play-mobile', text))).toMatchObject({ state: 'unknown' });
});

test('a worker knows of its own refusal at once, and of another one’s within five seconds', async () => {
  const [mine, other] = [fresh(), fresh()];
  expect(await mine.of(sent('eskiz', text))).toMatchObject({ state: 'unknown' });
  expect(await other.of(sent('eskiz', text))).toMatchObject({ state: 'unknown' });
  await mine.refused(sent('eskiz', text), null);
  expect(await mine.of(sent('eskiz', text))).toMatchObject({ state: 'not-approved' });
  await expect
    .poll(async () => (await other.of(sent('eskiz', text))).state, { timeout: 20_000 })
    .toBe('not-approved');
});

test('after a refusal the list is read again, a minute after it was read last', async () => {
  await lists().claim('eskiz');
  await lists().keep('eskiz', { templates: [listed('%w: kod %d, %d min')], unread: 0 });
  nowMs += 10_000;
  await fresh().refused(sent('eskiz', text), null);
  expect(await lists().claim('eskiz')).toBe(false);
  nowMs += 50_000;
  expect(await lists().claim('eskiz')).toBe(true);
});

test('neither a code nor a text is in the table', async () => {
  await fresh().refused(sent('eskiz', text), null);
  const { rows } = await pool.query<{ wording: Buffer }>('select * from sms_text_answer');
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows) + rows[0]?.wording.toString('latin1')).not.toMatch(/123456|Shop|kod/);
});

test('one project’s refusal, or another number of digits, says nothing of a text', async () => {
  const other = ProjectId.parse(randomUUID());
  await fresh().refused(sent('eskiz', text, other), 'no');
  await fresh().refused(sent('eskiz', 'Shop: kod 123456777, 5 min'), 'no');
  expect(await fresh().of(sent('eskiz', text))).toMatchObject({ state: 'unknown', said: null });
  expect(await fresh().of(sent('eskiz', text, other))).toMatchObject({ state: 'not-approved', said: 'no' });
});

test('a list with gaps says of no text that it is not approved', async () => {
  await lists().claim('eskiz');
  await lists().keep('eskiz', {
    templates: [listed('%w: kod %d, %d min'), listed('Salom', 'rejected')],
    unread: 1,
  });
  expect(await fresh().of(sent('eskiz', text))).toMatchObject({ state: 'approved' });
  for (const uncovered of ['Xayr', 'Salom'])
    expect(await fresh().of(sent('eskiz', uncovered))).toMatchObject({ state: 'unknown', by: null });
});

test('a text that was taken although the list says no counts as approved for an hour; that is told once a reading', async () => {
  const misread: string[] = [];
  const worker = textModeration(pool, now, (provider) => misread.push(provider));
  await lists().claim('eskiz');
  await lists().keep('eskiz', { templates: [listed('Salom')], unread: 0 });
  expect(await worker.of(sent('eskiz', text))).toMatchObject({ state: 'not-approved', by: 'list' });
  const first = now();
  await worker.accepted(sent('eskiz', text));
  await worker.accepted(sent('eskiz', 'Shop: kod 654321, 4 min'));
  expect(misread).toEqual(['eskiz']);
  const approved = { state: 'approved', said: null, since: first, by: 'answer' };
  expect(await fresh().of(sent('eskiz', 'Shop: kod 111111, 1 min'))).toEqual(approved);
  nowMs += ANSWER_KEPT_MS / 2;
  await lists().keep('eskiz', { templates: [listed('Salom')], unread: 0 });
  const later = textModeration(pool, now, (provider) => misread.push(provider));
  await later.accepted(sent('eskiz', text));
  expect(misread).toHaveLength(2);
  nowMs += ANSWER_KEPT_MS - 1;
  await lists().keep('eskiz', { templates: [listed('Salom')], unread: 0 });
  expect(await fresh().of(sent('eskiz', text)), 'what is still sent stays approved').toEqual(approved);
  await fresh().refused(sent('eskiz', text), 'no');
  expect(await fresh().of(sent('eskiz', text))).toMatchObject({
    state: 'not-approved',
    said: 'no',
    since: now(),
  });
  nowMs += ANSWER_KEPT_MS;
  expect(await fresh().of(sent('eskiz', text))).toMatchObject({ by: null });
});

test('a list that another process read is at hand within five seconds', async () => {
  const worker = fresh();
  await lists().claim('eskiz');
  await lists().keep('eskiz', { templates: [listed('Salom')], unread: 0 });
  expect(await worker.of(sent('eskiz', text))).toMatchObject({ state: 'not-approved' });
  nowMs += 600_000;
  await lists().keep('eskiz', { templates: [listed('%w: kod %d, %d min')], unread: 0 });
  await expect
    .poll(async () => (await worker.of(sent('eskiz', text))).state, { timeout: 20_000 })
    .toBe('approved');
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';

/** What a person said themselves: nothing but they take it back, neither a strange request nor their project. */

let navbat: Navbat;
let project: TestProject;
let nextChat = 8_700_000;

beforeAll(async () => {
  navbat = await startNavbat({ env: { TELEGRAM_CHAT_GAP_MS: '1' } });
  project = await navbat.createProject({
    settings: { message_categories: [{ name: 'service' }, { name: 'news', marketing: true }] },
  });
});
afterAll(() => navbat.stop());

const put = (recipient: object) => project.call('PUT', '/recipients', recipient);
const preferencesOf = async (id: string) => (await project.call('GET', `/recipients/${id}/preferences`)).body;
const change = (id: string, body: object) => project.call('PUT', `/recipients/${id}/preferences`, body);
const pageOf = async (id: string) =>
  // The api of a test listens on a port of its own.
  navbat.apiUrl + new URL((await preferencesOf(id)).preferences_url as string).pathname;

interface Person {
  readonly handle: string;
  readonly chatId: number;
  readonly id: string;
  readonly page: string;
}
async function newPerson(): Promise<Person> {
  const chatId = nextChat++;
  const handle = `user-${chatId}`;
  const { body } = await put({ handle, telegram_chat_id: chatId, locale: 'en' });
  return { handle, chatId, id: body.id, page: await pageOf(body.id) };
}
const post = (page: string, body: string, type = 'application/x-www-form-urlencoded') =>
  fetch(page, { method: 'POST', headers: { 'Content-Type': type }, body });
const oneClick = (page: string) => post(page, 'List-Unsubscribe=One-Click');
/** The form of a page, as a browser posts it: what is ticked, and what is hidden. */
async function formOf(page: string): Promise<URLSearchParams> {
  const html = await (await fetch(page)).text();
  const form = new URLSearchParams();
  for (const [input] of html.matchAll(/<input [^>]*>/g)) {
    const of = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(input)?.[1] ?? '';
    if (of('type') !== 'checkbox' || input.includes(' checked')) form.append(of('name'), of('value'));
  }
  return form;
}
async function endOf(to: object, more: object = {}) {
  const sent = await project.call('POST', '/telegram/send', { to, text: 'salom', ...more });
  expect(sent.status).toBe(202);
  return until(async () => {
    const { body } = await project.call('GET', `/jobs/${sent.body.job_id}`);
    return body.finished_at !== null && [body.state, body.reason];
  });
}
const REFUSED = ['rejected', 'recipient-opted-out'];

const part = (disposition: string, more = '') =>
  `--b\r\nContent-Disposition: form-data; ${disposition}${more}\r\n\r\nOne-Click\r\n--b--\r\n`;
const MULTIPART = 'multipart/form-data; boundary=b';

test('what is neither our form nor one click changes nothing, and says so', async () => {
  const { id, page } = await newPerson();
  await post(page, String(await formOf(page)).replace('on=news', 'quiet=on'));
  await oneClick(page);
  const before = await preferencesOf(id);
  expect(before).toMatchObject({ opted_out: true, categories: { news: false }, changed_by: 'one-click' });
  const whole = String(await formOf(page));
  for (const [type, body] of [
    ['application/x-www-form-urlencoded', ''],
    ['text/plain', 'hello'],
    ['application/json', '{"List-Unsubscribe":"One-Click"}'],
    ['application/x-www-form-urlencoded', 'List-Unsubscribe=Two-Click'],
    ['application/x-www-form-urlencoded', 'zone=UTC'],
    ['application/x-www-form-urlencoded', 'from=22%3A00&to=08%3A00&zone=UTC'],
    // Cut off on its way.
    ['application/x-www-form-urlencoded', whole.slice(0, whole.indexOf('&form='))],
    ['application/x-www-form-urlencoded', whole.replace(/&zone=[^&]*/, '')],
    [MULTIPART, part('name="other"')],
    [MULTIPART, part('name="note"').replace('One-Click', 'List-Unsubscribe=One-Click')],
  ] as const) {
    const answer = await post(page, body, type);
    expect(answer.status, body).toBe(400);
    expect(await answer.text(), body).toContain('Nothing was changed.');
  }
  expect(await preferencesOf(id)).toEqual(before);
});

test.each([
  ['as a form', 'application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click'],
  ['in small letters', 'application/x-www-form-urlencoded', 'list-unsubscribe=one-click'],
  ['as multipart', MULTIPART, part('name="List-Unsubscribe"')],
  ['with a type of its part', MULTIPART, part('name="List-Unsubscribe"', '\r\nContent-Type: text/plain')],
  ['with a name without quotes', 'Multipart/Form-Data; Boundary="b"', part('name=List-Unsubscribe')],
])('one click %s opts out', async (_how, type, body) => {
  const { id, page } = await newPerson();
  expect((await post(page, body, type)).status).toBe(200);
  expect(await preferencesOf(id)).toMatchObject({ opted_out: true, changed_by: 'one-click' });
});

test('a category that came after the page was opened is not switched off by it', async () => {
  const { id, page } = await newPerson();
  const form = await formOf(page);
  form.delete('shown', 'news');
  form.delete('on', 'news');
  expect((await post(page, String(form))).status).toBe(200);
  expect(await preferencesOf(id)).toMatchObject({ categories: { service: true, news: true } });
});

test('a project takes nothing back that a person said: 409, nothing of the body is done, and the person can', async () => {
  const { id, page } = await newPerson();
  const form = await formOf(page);
  form.delete('on', 'news');
  form.append('quiet', 'on');
  form.append('none', 'on');
  await post(page, String(form));
  const before = await preferencesOf(id);
  for (const [body, field] of [
    [{ opted_out: false }, '/opted_out'],
    [{ categories: { service: false, news: true } }, '/categories/news'],
    [{ quiet_hours: null }, '/quiet_hours'],
    [{ quiet_hours: { from: '23:00', to: '08:00' } }, '/quiet_hours'],
    [{ time_zone: 'America/New_York' }, '/time_zone'],
  ] as const) {
    const { status, body: problem } = await change(id, body);
    expect([status, problem.type], field).toEqual([409, 'urn:navbat:problem:persons-own-wish']);
    expect(problem.detail).toContain(field);
    expect(problem.detail).toContain('preferences_url');
  }
  expect(await preferencesOf(id)).toEqual(before);
  // What they did not say is the project's to set, and to say the same is no fault.
  const same = { opted_out: true, quiet_hours: before.quiet_hours, time_zone: before.time_zone };
  expect((await change(id, { ...same, categories: { service: false } })).status).toBe(200);
  expect((await change(id, { categories: { service: true } })).status).toBe(200);
  expect((await change(id, { opted_out: false })).status).toBe(409);

  const back = await formOf(page);
  back.delete('none');
  back.delete('quiet');
  back.append('on', 'news');
  await post(page, String(back));
  expect(await preferencesOf(id)).toMatchObject({ opted_out: false, categories: { news: true } });
  expect((await change(id, { opted_out: true })).status).toBe(200);
  expect((await change(id, { opted_out: false, time_zone: 'America/New_York' })).status).toBe(200);
});

test('an opt-out outlives the recipient: by a bare chat, a new handle, and after erasure nothing is sent until they take it back', async () => {
  const { id, page, handle, chatId } = await newPerson();
  await oneClick(page);
  const bare = { chat_id: chatId };
  expect(await endOf(bare)).toEqual(REFUSED);
  await put({ handle, telegram_chat_id: null });
  expect(await endOf(bare)).toEqual(REFUSED);
  const second = (await put({ handle: `${handle}-2`, telegram_chat_id: chatId })).body;
  expect(await endOf({ recipient_id: second.id })).toEqual(REFUSED);
  expect(await preferencesOf(second.id)).toMatchObject({ opted_out: true });

  for (const one of [id, second.id])
    expect((await project.call('DELETE', `/recipients/${one}`)).status).toBe(204);
  expect(await endOf(bare)).toEqual(REFUSED);
  const third = (await put({ handle, telegram_chat_id: chatId })).body;
  expect(await endOf({ recipient_id: third.id })).toEqual(REFUSED);
  expect((await change(third.id, { opted_out: false })).status).toBe(409);
  expect(navbat.sandbox.inbox({ to: String(chatId) })).toEqual([]);
  // All that was kept: no chat can be read from it.
  const { rows } = await navbat.db.query('select * from message_opt_out where project_id = $1', [project.id]);
  expect(JSON.stringify(rows)).not.toContain(String(chatId));

  const back = await formOf(await pageOf(third.id));
  back.delete('none');
  expect((await post(await pageOf(third.id), String(back))).status).toBe(200);
  expect(await endOf(bare)).toEqual(['completed', null]);
  expect(await endOf({ recipient_id: third.id })).toEqual(['completed', null]);
});

test('a link is of the chat that it was sent to, and a message that waits is not sent to a chat that was another’s', async () => {
  const { id, page, handle, chatId } = await newPerson();
  const later = { send_at: new Date(Date.now() + 4_000).toISOString() };
  const waiting = await project.call('POST', '/telegram/send', {
    to: { recipient_id: id },
    text: '{preferences_url}',
    ...later,
  });
  await put({ handle, locale: 'ru' });
  expect((await fetch(page)).status).toBe(200);
  await put({ handle, telegram_chat_id: nextChat++ });
  expect((await fetch(page)).status).toBe(404);
  expect((await oneClick(page)).status).toBe(404);
  expect((await fetch(await pageOf(id))).status).toBe(200);
  const ended = await until(async () => {
    const { body } = await project.call('GET', `/jobs/${waiting.body.job_id}`);
    return body.finished_at !== null && body;
  });
  expect(ended).toMatchObject({ state: 'rejected', reason: 'recipient-gone' });
  expect(navbat.sandbox.inbox({ to: String(chatId) })).toEqual([]);
});

test('a recipient who is erased is not sent what still waits', async () => {
  const { id, chatId } = await newPerson();
  const send_at = new Date(Date.now() + 3_000).toISOString();
  const { body } = await project.call('POST', '/telegram/send', {
    to: { recipient_id: id },
    text: 'x',
    send_at,
  });
  await project.call('DELETE', `/recipients/${id}`);
  const ended = await until(async () => {
    const { body: job } = await project.call('GET', `/jobs/${body.job_id}`);
    return job.finished_at !== null && job;
  });
  expect(ended).toMatchObject({ state: 'rejected', reason: 'recipient-gone' });
  expect(navbat.sandbox.inbox({ to: String(chatId) })).toEqual([]);
});

test('a time zone that is none keeps nothing else from being saved, and is shown as it was typed', async () => {
  const { id, page } = await newPerson();
  const form = await formOf(page);
  form.append('quiet', 'on');
  form.append('none', 'on');
  form.set('from', '21:30');
  form.set('zone', 'Tashkent "city"');
  const answer = await post(page, String(form));
  expect(answer.status).toBe(400);
  const html = await answer.text();
  expect(html).toContain('a time zone is written like Asia/Tashkent');
  expect(html).toContain('value="Tashkent &quot;city&quot;"');
  expect(html).toContain('name="from" value="21:30"');
  expect(await preferencesOf(id)).toMatchObject({ opted_out: true, quiet_hours: null });

  // Where nothing is to be quiet, it says nothing.
  const loud = await formOf(page);
  loud.set('zone', 'bad');
  expect((await post(page, String(loud))).status).toBe(200);
});

test('the page of a second recipient of the chat shows what holds there, and saving it lifts nothing', async () => {
  const { id, chatId, page } = await newPerson();
  const form = await formOf(page);
  form.delete('on');
  form.append('none', 'on');
  await post(page, String(form));
  // As the bot's registration makes one beside the project's own.
  const { body } = await put({ handle: `second-${chatId}`, locale: 'en' });
  await navbat.db.query('update recipient set telegram_chat_id = $2 where id = $1', [body.id, chatId]);
  const second = await pageOf(body.id);
  const shown = await formOf(second);
  expect([shown.has('none'), shown.has('on')]).toEqual([true, false]);
  shown.append('quiet', 'on');
  expect((await post(second, String(shown))).status).toBe(200);
  for (const one of [id, body.id as string])
    expect(await preferencesOf(one)).toMatchObject({
      opted_out: true,
      categories: { service: false, news: false },
      quiet_hours: { from: '22:00', to: '08:00' },
    });
  expect(await endOf({ recipient_id: id })).toEqual(REFUSED);
});

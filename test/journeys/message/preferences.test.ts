import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';
import { startReceiver } from '../../support/webhook-receiver.ts';

/** People say what they want while messages are on their way: over real processes, paced as Telegram paces a bot. */

const SLUG = 'school';
const ALL_SCOPES = ['jobs', 'recipients', 'messages', 'webhooks', 'critical', 'projects', 'public'];
const settings = {
  message_categories: [
    { name: 'service', titles: { en: 'Orders' } },
    { name: 'news', titles: { en: 'News <3', uz: 'Yangiliklar' }, marketing: true, stop_button: true },
  ],
};

let navbat: Navbat;
let project: TestProject;
let nextPerson = 8_100_000;

beforeAll(async () => {
  navbat = await startNavbat({
    env: { TELEGRAM_CHAT_GAP_MS: '1', BOT_PROJECT: SLUG, WEBHOOK_ALLOW_PRIVATE: 'true' },
  });
  project = await navbat.createProject({ settings, scopes: ALL_SCOPES });
  await navbat.db.query('update project set slug = $2 where id = $1', [project.id, SLUG]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
});
afterAll(() => navbat.stop());

interface Person {
  readonly chatId: number;
  readonly id: string;
  readonly url: string;
}

async function newPerson(locale: 'uz' | 'ru' | 'en' = 'en'): Promise<Person> {
  const chatId = nextPerson++;
  const put = await project.call('PUT', '/recipients', {
    handle: `user-${chatId}`,
    telegram_chat_id: chatId,
    locale,
  });
  expect(put.status).toBe(201);
  const { body } = await project.call('GET', `/recipients/${put.body.id}/preferences`);
  // The api of a test listens on a port of its own.
  return {
    chatId,
    id: put.body.id,
    url: navbat.apiUrl + new URL(body.preferences_url as string).pathname,
  };
}

const act = async (body: object) => {
  const { status } = await fetch(`${navbat.sandbox.url}/telegram/updates`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  expect(status).toBe(201);
};
const form = (fields: readonly (readonly [string, string])[]) =>
  new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value]));
/** As a browser posts the page. */
const pageForm = (fields: readonly (readonly [string, string])[]) =>
  form([['shown', 'service'], ['shown', 'news'], ...fields, ['form', 'preferences']]);
const openPage = (person: Person, body?: URLSearchParams) =>
  fetch(person.url, body ? { method: 'POST', body } : {});
const send = (people: readonly Person[], more: object = {}) =>
  project.call('POST', '/telegram/send', {
    to:
      people.length === 1 ? { recipient_id: people[0]?.id } : people.map(({ id }) => ({ recipient_id: id })),
    text: 'salom',
    ...more,
  });
const ended = (jobId: string) =>
  until(async () => {
    const { body } = await project.call('GET', `/jobs/${jobId}`);
    return body.finished_at !== null && body;
  });
const calls = ({ chatId }: Person) => navbat.sandbox.calls({ to: String(chatId) });
const night = [
  ['on', 'service'],
  ['on', 'news'],
  ['quiet', 'on'],
  ['zone', 'Asia/Tashkent'],
] as const;

test('who opts out of a broadcast in progress is sent nothing a second later, by whatever way; the others get it', async () => {
  const people = await Promise.all(Array.from({ length: 280 }, () => newPerson()));
  // By a link, a mail program's click, the bot, and the project's own settings page.
  const ways: readonly ((person: Person) => Promise<unknown>)[] = [
    (person) =>
      openPage(
        person,
        pageForm([
          ['on', 'service'],
          ['from', '22:00'],
          ['to', '08:00'],
          ['zone', 'UTC'],
        ]),
      ),
    (person) => fetch(person.url, { method: 'POST', body: form([['List-Unsubscribe', 'One-Click']]) }),
    (person) => act({ chat_id: person.chatId, text: '/stop' }),
    (person) => project.call('PUT', `/recipients/${person.id}/preferences`, { categories: { news: false } }),
  ];
  const { body } = await send(people, { category: 'news' });
  const saidAt = new Map<Person, number>();
  // The last ones first, over the whole run: some are told in time, some a moment too late.
  for (const [n, person] of people.toReversed().entries()) {
    if (n % 3 !== 0 || n > 240) continue;
    await ways[(n / 3) % ways.length]?.(person);
    saidAt.set(person, Date.now());
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const done = await until(async () => {
    const { body: view } = await project.call('GET', `/broadcasts/${body.id}`);
    return view.state === 'finished' && view;
  });
  // Of the broadcast: the bot answers a /stop besides.
  const begun = (person: Person) =>
    navbat.sandbox
      .inbox({ to: String(person.chatId) })
      .filter(({ text }) => text === 'salom')
      .map(({ received_at }) => Date.parse(received_at));
  const late = [...saidAt].flatMap(([person, at]) => begun(person).filter((time) => time > at + 1_000));
  expect(late, 'messages that began more than a second after their person had opted out').toEqual([]);
  const spared = [...saidAt.keys()].filter((person) => begun(person).length === 0);
  expect(spared.length).toBeGreaterThan(20);
  const others = people.filter((person) => !saidAt.has(person));
  expect(others.filter((person) => begun(person).length !== 1)).toEqual([]);
  expect(done.progress).toMatchObject({
    sent: people.length - spared.length,
    blocked: spared.length,
    failed: 0,
  });
});

test('critical passes a category that is off and quiet hours, is audited and counted, and passes no opt-out', async () => {
  const person = await newPerson();
  const put = (change: object) => project.call('PUT', `/recipients/${person.id}/preferences`, change);
  await put({ categories: { service: false }, quiet_hours: { from: '00:00', to: '23:59' } });
  const plain = await send([person]);
  expect(await ended(plain.body.job_id)).toMatchObject({ state: 'rejected', reason: 'category-off' });
  await put({ categories: { service: true } });
  const quiet = await send([person], { expires_at: new Date(Date.now() + 30_000).toISOString() });
  expect(await ended(quiet.body.job_id)).toMatchObject({ state: 'rejected', reason: 'quiet-hours' });
  await put({ categories: { service: false } });
  expect(calls(person)).toHaveLength(0);

  const critical = await send([person], { critical: true });
  expect(await ended(critical.body.job_id)).toMatchObject({ state: 'completed' });
  const { rows } = await navbat.db.query(`select actor, action, detail from audit where subject = $1`, [
    critical.body.id,
  ]);
  expect(rows).toEqual([
    {
      actor: expect.stringMatching(new RegExp(`^project ${SLUG}, key [0-9a-f-]{36}$`)),
      action: 'message.critical',
      detail: expect.objectContaining({ recipients: 1, category: 'service', kind: 'telegram-message' }),
    },
  ]);
  const metrics = await (await fetch(`${navbat.apiUrl}/metrics`)).text();
  expect(metrics).toMatch(/navbat_critical_messages_total\{kind="telegram-message"\} 1\b/);

  await put({ opted_out: true });
  const refused = await send([person], { critical: true });
  expect(await ended(refused.body.job_id)).toMatchObject({
    state: 'rejected',
    reason: 'recipient-opted-out',
  });
});

test('critical is no way round for marketing, nor for a key that was not given it', async () => {
  const person = await newPerson();
  const marketing = await send([person], { critical: true, category: 'news' });
  expect(marketing.status).toBe(400);
  expect(marketing.body.errors).toEqual([expect.objectContaining({ pointer: '/critical' })]);
  const { key } = await navbat.createProject({ scopes: ['messages', 'recipients'] });
  const answer = await fetch(`${navbat.apiUrl}/telegram/send`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ to: { chat_id: person.chatId }, text: 'salom', critical: true }),
  });
  expect([answer.status, await answer.json()]).toMatchObject([
    403,
    { type: 'urn:navbat:problem:insufficient-scope' },
  ]);
  expect((await send([person], { category: 'nonsense' })).body.errors).toEqual([
    expect.objectContaining({ pointer: '/category', detail: expect.stringContaining('service, news') }),
  ]);
});

test('a bare chat is held to what its recipient wants, and quiet hours put a message off', async () => {
  const person = await newPerson();
  await openPage(person, pageForm([...night, ['from', '00:00'], ['to', '23:59']]));
  const sent = await project.call('POST', '/telegram/send', {
    to: { chat_id: person.chatId },
    text: 'salom',
  });
  const put = await until(async () => {
    const { rows } = await navbat.db.query('select state, run_at, attempts from job where id = $1', [
      sent.body.job_id,
    ]);
    return rows[0].run_at > new Date(Date.now() + 1_000) && rows[0];
  });
  expect(put).toMatchObject({ attempts: 0 });
  // 23:59 in Tashkent, and within its one minute that is not quiet.
  expect(put.run_at.toISOString()).toMatch(/T18:59:/);
  expect(calls(person)).toHaveLength(0);
});

test('the link in a message opens its reader’s page, which says who they are to nobody and closes when it is renewed', async () => {
  const [one, two] = [await newPerson('ru'), await newPerson('en')];
  const sent = await send([one, two], {
    text: '*Sale*\\! [settings]({preferences_url}) {preferences_url}',
    format: 'markdown',
    category: 'service',
  });
  await until(
    async () => (await project.call('GET', `/broadcasts/${sent.body.id}`)).body.state === 'finished',
  );
  for (const person of [one, two]) {
    const [message] = navbat.sandbox.inbox({ to: String(person.chatId) });
    expect(JSON.stringify(message)).toContain(new URL(person.url).pathname);
  }
  const page = await openPage(one);
  expect(page.status).toBe(200);
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  expect(page.headers.get('x-robots-tag')).toContain('noindex');
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const html = await page.text();
  expect(html).toContain('lang="ru"');
  expect(html).not.toContain('<3');
  expect(html).not.toMatch(new RegExp(`${one.chatId}|user-|${one.id}`));

  const renewed = await project.call('POST', `/recipients/${one.id}/preferences/link`, {});
  expect((await openPage(one)).status).toBe(404);
  expect(
    (await openPage({ ...one, url: navbat.apiUrl + new URL(renewed.body.preferences_url).pathname })).status,
  ).toBe(200);
  // Another recipient's id under this one's MAC, and one sign changed anywhere.
  const token = new URL(two.url).pathname.split('/')[2] ?? '';
  for (let n = 0; n < token.length; n += 5) {
    const forged = token.slice(0, n) + (token[n] === 'A' ? 'B' : 'A') + token.slice(n + 1);
    expect((await fetch(`${navbat.apiUrl}/preferences/${forged}`)).status, String(n)).toBe(404);
  }
  expect(navbat.log.join('\n')).not.toContain(token);
});

test('a bare chat cannot be sent the variable, and a text is measured with it filled in', async () => {
  const person = await newPerson();
  const bare = await project.call('POST', '/telegram/send', {
    to: { chat_id: person.chatId },
    text: '{preferences_url}',
  });
  expect([bare.status, bare.body.errors?.[0].pointer]).toEqual([400, '/to']);
  const long = await send([person], { text: `${'x'.repeat(4_000)}{preferences_url}` });
  expect([long.status, long.body.errors?.[0].pointer]).toEqual([400, '/text']);
});

test('the button under a message switches its category off, once told, and the bot says so; /settings leads to the page', async () => {
  const receiver = await startReceiver();
  const made = await project.call('POST', '/webhooks/endpoints', {
    url: receiver.url,
    event_types: ['preferences.changed'],
  });
  expect(made.status).toBe(201);
  const person = await newPerson();
  const { body } = await send([person], { category: 'news' });
  expect(await ended(body.job_id)).toMatchObject({ state: 'completed' });
  const [call] = navbat.sandbox.inbox({ to: String(person.chatId) });
  expect(JSON.stringify(call)).toContain('🔕 Stop: News <3');
  const { rows } = await navbat.db.query('select provider_reference from attempt where job_id = $1', [
    body.job_id,
  ]);
  const press = (id: string) =>
    act({
      chat_id: person.chatId,
      update: {
        callback_query: {
          id,
          from: { id: person.chatId, is_bot: false, first_name: 'Aziza' },
          chat_instance: '1',
          data: 'navbat:stop-category',
          message: {
            message_id: Number(rows[0].provider_reference),
            date: 1,
            chat: { id: person.chatId, type: 'private' },
          },
        },
      },
    });
  await press('p1');
  await press('p2');
  await until(async () => navbat.sandbox.inbox({ to: String(person.chatId) }).length === 3);
  expect(JSON.stringify(navbat.sandbox.inbox({ to: String(person.chatId) }))).toContain(
    `${SLUG}: “News <3” messages are off`,
  );
  const after = await project.call('GET', `/recipients/${person.id}/preferences`);
  expect(after.body).toMatchObject({ categories: { service: true, news: false }, changed_by: 'bot' });
  await until(async () => receiver.received.length === 1);
  expect(JSON.parse(receiver.received[0]?.body ?? '{}')).toMatchObject({
    type: 'preferences.changed',
    data: { recipient_id: person.id, categories_off: ['news'], changed_by: 'bot', quiet_hours: null },
  });

  await act({ chat_id: person.chatId, text: '/settings' });
  const settingsSaid = await until(
    async () => navbat.sandbox.inbox({ to: String(person.chatId) }).at(3) ?? false,
  );
  expect(JSON.stringify(settingsSaid)).toContain(new URL(person.url).pathname);
  expect(receiver.received).toHaveLength(1);
});

test('/settings of who is in many projects goes on to a second page', async () => {
  const chatId = nextPerson++;
  const names: string[] = [];
  for (let n = 0; n < 12; n++) {
    const other = await navbat.createProject({ settings: { display_name: `P${n}` } });
    await other.call('PUT', '/recipients', { handle: 'v', telegram_chat_id: chatId, locale: 'en' });
    names.push(`P${n}`);
  }
  const said: string[] = [];
  for (const [n, text] of ['/settings', '/settings_2'].entries()) {
    await act({ chat_id: chatId, text });
    said.push(
      JSON.stringify(await until(async () => navbat.sandbox.inbox({ to: String(chatId) }).at(n) ?? false)),
    );
  }
  expect(said.map((one) => one.includes('/settings_2'))).toEqual([true, false]);
  const shown = said.flatMap((one) => one.match(/"P\d+"/g) ?? []).map((name) => name.slice(1, -1));
  expect(shown.toSorted()).toEqual(names.toSorted());
  // /stop ends those of Telegram as well.
  expect(said[0]).toMatch(/\/stop/);
  expect(said[0]).not.toMatch(/har doim|always|всегда/);
});

test('one click of a mail program, as a form or multipart, stops the category that its link names, else everything', async () => {
  const [one, two] = [await newPerson(), await newPerson()];
  const multipart = new FormData();
  multipart.set('List-Unsubscribe', 'One-Click');
  expect((await fetch(`${one.url}?category=news`, { method: 'HEAD' })).status).toBe(200);
  expect((await fetch(`${one.url}?category=news`, { method: 'POST', body: multipart })).status).toBe(200);
  const clicked = await project.call('GET', `/recipients/${one.id}/preferences`);
  expect(clicked.body).toMatchObject({
    opted_out: false,
    categories: { news: false, service: true },
    changed_by: 'one-click',
  });
  const click = form([['List-Unsubscribe', 'One-Click']]);
  expect((await fetch(`${two.url}?category=no-such`, { method: 'POST', body: click })).status).toBe(200);
  expect((await project.call('GET', `/recipients/${two.id}/preferences`)).body).toMatchObject({
    opted_out: true,
  });
});

test('a GET changes nothing, two changes at once both hold, and erasing a recipient erases what they wanted', async () => {
  const person = await newPerson();
  await openPage(person);
  const fetched = await project.call('GET', `/recipients/${person.id}/preferences`);
  expect(fetched.body).toMatchObject({ opted_out: false, changed_by: null, changed_at: null });
  const put = (change: object) => project.call('PUT', `/recipients/${person.id}/preferences`, change);
  await Promise.all([
    put({ categories: { news: false } }),
    put({ time_zone: 'europe/berlin' }),
    put({ quiet_hours: { from: '22:00', to: '07:30' } }),
    put({ categories: { service: false } }),
  ]);
  expect((await put({})).body).toMatchObject({
    categories: { news: false, service: false },
    time_zone: 'Europe/Berlin',
    quiet_hours: { from: '22:00', to: '07:30' },
    changed_by: 'project',
  });
  for (const wrong of [
    { time_zone: '+05:00' },
    { time_zone: 'Mars/Olympus' },
    { quiet_hours: { from: '8:00', to: '09:00' } },
    { quiet_hours: { from: '08:00', to: '08:00' } },
    { categories: { other: false } },
  ])
    expect((await put(wrong)).status, JSON.stringify(wrong)).toBe(400);
  const bad = await openPage(
    person,
    pageForm([
      ['quiet', 'on'],
      ['from', 'x'],
      ['to', '08:00'],
      ['zone', 'UTC'],
    ]),
  );
  expect(bad.status).toBe(400);
  const stranger = await navbat.createProject({ scopes: ['recipients'] });
  expect((await stranger.call('GET', `/recipients/${person.id}/preferences`)).status).toBe(404);
  expect(
    (await stranger.call('PUT', `/recipients/${person.id}/preferences`, { opted_out: true })).status,
  ).toBe(404);

  expect((await project.call('DELETE', `/recipients/${person.id}`)).status).toBe(204);
  const { rows } = await navbat.db.query('select from message_preference where recipient_id = $1', [
    person.id,
  ]);
  expect(rows).toEqual([]);
  expect((await openPage(person)).status).toBe(404);
});

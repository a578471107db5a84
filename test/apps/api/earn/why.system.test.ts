import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { recipientOf } from '../../../rules/policy/objects.ts';
import { openSession } from '../../../rules/policy/person-objects.ts';
import { insertStaffSession, makeStaff } from '../../../rules/policy/roles.ts';
import { makeKey, makePerson, type Owner, type World } from '../../../rules/policy/world.ts';
import { eventually } from '../../../support/eventually.ts';
import { mmdb } from '../../../support/mmdb.ts';
import { openEarners, typeOf } from '../pay/earner.ts';

const MB = 1_000_000;
const [HOME, PHONE, SERVER] = ['203.0.113.1', '198.51.100.7', '192.0.2.10'] as const;

let world: Awaited<ReturnType<typeof openEarners>>;
let policy: World;
let directory: string;
let staff: string;
let gateway: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'addresses-'));
  const [database, list] = [join(directory, 'isp.mmdb'), join(directory, 'hosting.txt')];
  const mobile = { connection_type: 'Cellular', isp: 'Ucell' };
  await writeFile(database, mmdb({ '198.51.100.0/24': mobile }, new Date()));
  await writeFile(list, '192.0.2.0/24\n');
  world = await openEarners(['api', 'worker'], {
    NAVBAT_PRODUCTS: 'verify,message,pay,earn',
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
    ADDRESS_DATABASES: database,
    ADDRESS_LISTS: `hosting=${list}`,
  });
  const { navbat } = world;
  policy = { ...navbat, hash: keyedHash(navbat.env['PEPPER'] ?? '') } as unknown as World;
  await navbat.db.query(
    `update project set settings = settings || '{"counterpart_tolerance_percent": 50}' where id = $1`,
    [PLATFORM_PROJECT_ID],
  );
  const staffId = await makeStaff(policy, 'finance');
  staff = (await insertStaffSession(policy, { staffId, extent: 'full', via: 'bearer' })).token;
  await ask('POST', '/api/admin/daily_price', staff, { day: tashkentDay(new Date()), tiyin_per_mb: 100 });
  gateway = (await makeKey(policy, PLATFORM_PROJECT_ID, { scopes: ['gateways'] })).key;
});
afterAll(async () => {
  await world?.navbat.stop();
  await rm(directory, { recursive: true });
});

const ask = async (method: string, path: string, token: string, body?: object, from: string = HOME) => {
  const answer = await fetch(world.navbat.apiUrl + path, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      'X-Forwarded-For': from,
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: JSON.parse((await answer.text()) || 'null') };
};

/** Who shares traffic, and reads this language. */
async function sharer(locale: string | null = null) {
  const personId = await makePerson(policy, 'live');
  const owner: Owner = { projectId: PLATFORM_PROJECT_ID, mode: 'live', personId };
  const recipient = await recipientOf(policy, owner);
  await world.navbat.db.query('update recipient set locale = $2 where id = $1', [recipient, locale]);
  const { token } = await openSession(policy, owner);
  const call = (method: string, path: string, body?: object, from?: string) =>
    ask(method, path, token, body, from);
  return {
    personId,
    recipient,
    call,
    start: (from?: string) => call('POST', '/api/traffic/start', { installation_id: randomUUID() }, from),
  };
}

/** What a phone says it has received since the session began, so many seconds from now. */
const said = (seq: number, megabytes: number, seconds = 0) => ({
  seq,
  measured_at: new Date(Date.now() + seconds * 1_000).toISOString(),
  bytes_up: 0,
  bytes_down: megabytes * MB,
});

const isMetered = (session: string, bytes: number, verdict: string) =>
  eventually(async () => {
    const { rows } = await world.navbat.db.query(
      'select bytes, verdict from session_day where session_id = $1',
      [session],
    );
    expect(rows).toEqual([{ bytes: String(bytes), verdict }]);
  });

test('who is erased leaves no address and no words of theirs', async () => {
  const who = await sharer();
  const { session_id: session } = (await who.start(SERVER)).body;
  await who.call('POST', '/api/traffic/report', { session_id: session, ...said(0, 3, 30) });
  await isMetered(session, 3 * MB, 'unpaid');
  const day = tashkentDay(new Date());
  await who.call('POST', `/api/traffic/days/${session}/${day}/appeal`, { text: 'It is my own line' });
  const { key } = await makeKey(policy, PLATFORM_PROJECT_ID, { scopes: ['recipients'] });
  expect((await ask('DELETE', `/recipients/${who.recipient}`, key)).status).toBe(204);
  const audits = await ask('GET', `/api/admin/filter_audits?session_id=${session}`, staff);
  expect(audits.body.data).toMatchObject([{ address: null, evidence: null, reason: 'address-hosting' }]);
  const appeals = (await ask('GET', '/api/admin/appeals?limit=100', staff)).body.data as {
    text: string | null;
    day: { session_id: string };
  }[];
  expect(appeals.filter((one) => one.day.session_id === session)).toMatchObject([
    { text: null, state: 'open' },
  ]);
});

describe('why was I not paid for these 40 MB?', () => {
  test('is answered by one request, with three reasons that come to 40 MB', async () => {
    const who = await sharer('ru');
    const { session_id: session } = (await who.start(PHONE)).body;
    // 60 MB within thirty seconds; 12 MB by a clock that is ahead; 8 MB in a tenth of a second.
    const reports = [said(0, 60, 30), said(1, 72, 600), said(2, 80, 30.1)];
    const reported = await who.call('POST', '/api/traffic/report', { session_id: session, reports }, PHONE);
    expect(reported).toMatchObject({ status: 202, body: { accepted: 3, verdict: 'pay', reason: null } });
    // Of the 60 MB a gateway has carried 40.
    await ask('POST', '/api/gateway/reports', gateway, {
      reports: [{ ...said(0, 40), session_id: session }],
    });
    const day = tashkentDay(new Date());
    await isMetered(session, 80 * MB, 'pay');
    const why = () => who.call('GET', `/api/traffic/days/${session}/${day}`);
    await eventually(async () => expect((await why()).body.gateway_bytes).toBe(40 * MB));
    const answer = await why();
    expect(answer).toMatchObject({
      status: 200,
      body: {
        bytes: 80 * MB,
        paid_bytes: 40 * MB,
        state: 'open',
        says: 'Оплачивается при закрытии дня: через три дня после его начала.',
        unpaid: [
          {
            reason: 'clock-ahead',
            bytes: 12 * MB,
            sentence: 'Часы телефона спешили больше чем на минуту, когда пришёл отчёт.',
          },
          {
            reason: 'counterpart-lower',
            bytes: 20 * MB,
            sentence: 'Шлюз, через который шёл трафик, насчитал меньше; оплачивается меньшее.',
          },
          { reason: 'too-fast', bytes: 8 * MB, sentence: 'Счётчик рос быстрее 50 МБ в секунду.' },
        ],
        appeal: null,
        appeal_until: null,
      },
    });
    const unpaid = (answer.body.unpaid as { bytes: number }[]).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(unpaid).toBe(40 * MB);
    expect((await who.call('GET', `/api/sessions/${session}`)).body).toMatchObject({
      id: session,
      reports: 3,
      days: [answer.body],
    });
  });

  test.each([
    ['uz', 'Trafik telefondan emas, ma’lumotlar markazining manzilidan keldi.'],
    ['ru', 'Трафик шёл с адреса дата-центра, а не с телефона.'],
    ['en', 'The traffic came from the address of a data centre, not of a phone.'],
    // Nobody said: Uzbek.
    [null, 'Trafik telefondan emas, ma’lumotlar markazining manzilidan keldi.'],
  ])('the appeal and its end stand in the same place, for who reads %s', async (locale, sentence) => {
    const who = await sharer(locale);
    const started = await who.start(SERVER);
    expect(started).toMatchObject({ status: 201, body: { verdict: 'unpaid', reason: 'address-hosting' } });
    const { session_id: session } = started.body;
    await who.call('POST', '/api/traffic/report', { session_id: session, ...said(0, 40, 30) }, HOME);
    const path = `/api/traffic/days/${session}/${tashkentDay(new Date())}`;
    await isMetered(session, 40 * MB, 'unpaid');
    const why = async () => (await who.call('GET', path)).body;
    expect(await why()).toMatchObject({
      state: 'unpaid',
      paid_bytes: 0,
      unpaid: [{ reason: 'address-hosting', bytes: 40 * MB, sentence }],
      appeal: null,
      appeal_until: expect.any(String),
    });
    const appeal = (text: string) => who.call('POST', `${path}/appeal`, { text });
    expect((await appeal('x'.repeat(501))).status).toBe(400);
    expect((await appeal('My card is 8600 1234 5678 9012')).status).toBe(400);
    expect(await appeal('It is my own line')).toMatchObject({
      status: 201,
      body: { appeal: { state: 'open', text: 'It is my own line', answer: null }, appeal_until: null },
    });
    expect(typeOf(await appeal('Again'))).toBe('appealed');

    const listed = (await ask('GET', '/api/admin/appeals', staff)).body.data as {
      id: string;
      day: { session_id: string };
    }[];
    const one = listed.find(({ day }) => day.session_id === session);
    expect(one).toMatchObject({ person_id: who.personId, state: 'open', day: { reason: 'address-hosting' } });
    const end = { outcome: 'overturned', answer: 'It is a line of your provider' };
    expect(await ask('POST', `/api/admin/appeals/${one?.id}/answer`, staff, end)).toEqual({
      status: 200,
      body: { state: 'overturned' },
    });
    expect(await why()).toMatchObject({
      state: 'open',
      paid_bytes: 40 * MB,
      unpaid: [],
      appeal: { state: 'overturned', answer: end.answer, ended_at: expect.any(String) },
    });
    const audits = await ask('GET', `/api/admin/filter_audits?session_id=${session}`, staff);
    expect(audits.body.data).toMatchObject([
      {
        address: SERVER,
        class: 'hosting',
        verdict: 'unpaid',
        evidence: { list: { network: '192.0.2.0/24' } },
        data_age_days: 0,
      },
    ]);
  });

  test('is asked by nobody about another’s day', async () => {
    const [who, other] = [await sharer(), await sharer()];
    const { session_id: session } = (await who.start(SERVER)).body;
    await who.call('POST', '/api/traffic/report', { session_id: session, ...said(0, 1, 30) });
    await isMetered(session, MB, 'unpaid');
    const day = tashkentDay(new Date());
    const asked = (id: string) => [
      other.call('GET', `/api/traffic/days/${id}/${day}`),
      other.call('GET', `/api/sessions/${id}`),
      other.call('POST', `/api/traffic/days/${id}/${day}/appeal`, { text: 'Mine' }),
    ];
    const [theirs, nobodys] = [await Promise.all(asked(session)), await Promise.all(asked(randomUUID()))];
    expect(theirs).toEqual(nobodys);
    expect(theirs.map(({ status }) => status)).toEqual([404, 404, 404]);
  });
});

test('days in review wait for staff, who decide them and take them back', async () => {
  const who = await sharer();
  const { session_id: session } = (await who.start()).body;
  await who.call('POST', '/api/traffic/report', { session_id: session, ...said(0, 10, 30) });
  await isMetered(session, 10 * MB, 'review');
  const waiting = async () =>
    ((await ask('GET', '/api/admin/traffic/review?limit=100', staff)).body.data as { id: string }[]).filter(
      ({ id }) => id === session,
    );
  expect(await waiting()).toMatchObject([
    {
      person_id: who.personId,
      days: [{ reason: 'no-counterpart', state: 'review', bytes: 10 * MB, in_ledger: '0' }],
    },
  ]);
  const path = `/api/admin/traffic/days/${session}/${tashkentDay(new Date())}`;
  const decide = (verdict: string) =>
    ask('POST', `${path}/decide`, staff, { verdict, reason: 'Looked at it' });
  expect(await decide('pay')).toMatchObject({
    status: 200,
    body: { state: 'open', verdict: 'pay', amount: '1000' },
  });
  expect(await waiting()).toEqual([]);
  expect(typeOf(await ask('POST', `${path}/take-back`, staff, { reason: 'A server' }))).toBe(
    'nothing-to-take',
  );
  expect((await decide('unpaid')).body).toMatchObject({ state: 'unpaid', reason: 'decided' });
});

test('300 phones behind one mobile address share at once, and each is paid', async () => {
  const people = [];
  for (let n = 0; n < 300; n++) people.push(await sharer());
  const verdicts = [];
  // So many at a time as a browser would.
  for (let from = 0; from < people.length; from += 20)
    verdicts.push(
      ...(await Promise.all(
        people.slice(from, from + 20).map(async (who) => (await who.start(PHONE)).body.verdict),
      )),
    );
  expect(verdicts).toEqual(Array(300).fill('pay'));
});

import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { channelRules } from '../../../domain/verify/channel.ts';
import { STRANGER_SENDS_PER_HOUR } from '../../../domain/verify/strangers.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { CODES_PER_ADDRESS_PER_HOUR } from '../../../domain/project/quota.ts';
import { type Navbat, type Reply, startNavbat, type TestProject } from '../../support/navbat.ts';
import { send, testPhone } from '../../support/phone.ts';
import { codeAfter, fromHome } from '../../support/platform.ts';

const CODE_MICROS = channelRules.sms.reservedMicros;

let navbat: Navbat;
let nextNumber = 1_000;

beforeAll(async () => {
  navbat = await startNavbat();
  // Navbat's own budget is not what these tests are about.
  await navbat.db.query('update project set settings = settings || $2 where id = $1', [
    PLATFORM_PROJECT_ID,
    { sms_daily_budget_micros: 1_000_000_000 },
  ]);
  // The first requests of a process are slow, and would be counted by it alone.
  const app = await newApp();
  await inTurn(5, () => app.call('POST', '/auth/code', { phone: newNumber() }, fromHome()));
});
afterAll(() => navbat.stop());

/** In many blocks of numbers, each of which is blocked when its codes stay unverified. */
const newNumber = () => {
  const n = nextNumber++;
  return `+99890${100 + (n % 900)}${n}`;
};
const jobsOf = async (projectId: string): Promise<number> => {
  const { rows } = await navbat.db.query('select count(*)::int n from job where project_id = $1', [
    projectId,
  ]);
  return rows[0].n;
};
const spentBy = async (projectId: string): Promise<number> => {
  const { rows } = await navbat.db.query(
    'select coalesce(sum(spent_micros), 0)::int spent from paid_spend where project_id = $1',
    [projectId],
  );
  return rows[0].spent;
};
const countOf = (replies: Reply[], status: number) =>
  replies.filter((reply) => reply.status === status).length;

/**
 * One after the other: a process that counts for itself for a moment, as it may where a machine is busy, would let one more
 * pass. That they are exact at once is told where the limits are tested by themselves.
 */
async function inTurn(count: number, ask: (n: number) => Promise<Reply>): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let n = 0; n < count; n++) replies.push(await ask(n));
  return replies;
}

/** What an app and a page need: a key that everybody has. */
const newApp = () => navbat.createProject({ access: 'publishable', scopes: ['public'] });

/** As if the codes had been typed: an address gets few that nobody confirms, which other tests are about. */
const confirmAll = (project: TestProject) =>
  navbat.db.query(
    `update verification set state = 'approved', closed_at = now() where project_id = $1 and state = 'live'`,
    [project.id],
  );

const asking = [
  ['POST /auth/code', '/auth/code', 202],
  ['POST /api/send-otp/', '/api/send-otp/', 200],
] as const;

describe.each(asking)('%s', (_name, path, accepted) => {
  const ask = async (project: TestProject, headers: Record<string, string>) => {
    const reply = await project.call('POST', path, { phone: newNumber() }, headers);
    await confirmAll(project);
    return reply;
  };

  test('of 60 codes that one address asks for with an app’s key, 30 are sent', async () => {
    const app = await newApp();
    const there = fromHome();
    const replies = await inTurn(60, () => ask(app, there));
    expect(countOf(replies, accepted)).toBe(CODES_PER_ADDRESS_PER_HOUR);
    expect(countOf(replies, 429)).toBe(60 - CODES_PER_ADDRESS_PER_HOUR);
    expect(await jobsOf(app.id)).toBe(CODES_PER_ADDRESS_PER_HOUR);
    const refused = await ask(app, there);
    expect(refused).toMatchObject({
      status: 429,
      body: { type: 'urn:navbat:problem:quota-exceeded', 'violated-policies': ['codes'] },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500);
    expect(refused.headers.get('ratelimit-policy')).toContain('"codes";q=30;w=3600');
    expect(await ask(app, fromHome())).toMatchObject({ status: accepted });
  });

  test('a refusal burns no idempotency key', async () => {
    const app = await newApp();
    const [there, phone] = [fromHome(), newNumber()];
    await inTurn(CODES_PER_ADDRESS_PER_HOUR, () => ask(app, there));
    const key = { 'Idempotency-Key': randomUUID() };
    expect(await app.call('POST', path, { phone }, { ...key, ...there })).toMatchObject({ status: 429 });
    const again = await app.call('POST', path, { phone }, { ...key, ...fromHome() });
    expect(again.status).toBe(accepted);
    expect(again.headers.get('idempotency-replayed')).toBeNull();
  });

  test('a request that fits no schema counts as no code', async () => {
    const app = await newApp();
    const there = fromHome();
    for (let n = 0; n < 2 * CODES_PER_ADDRESS_PER_HOUR; n++)
      expect(await app.call('POST', path, { phone: 'nobody' }, there)).toMatchObject({ status: 400 });
    expect(await ask(app, there)).toMatchObject({ status: accepted });
  });

  test('a test key, whose codes reach nobody, asks for as many as its tests need', async () => {
    const app = await navbat.createProject({ access: 'publishable', scopes: ['public'], mode: 'test' });
    const home = fromHome();
    const replies = await inTurn(CODES_PER_ADDRESS_PER_HOUR + 2, () =>
      app.call('POST', '/auth/code', { phone: newNumber() }, home),
    );
    expect(countOf(replies, 202)).toBe(replies.length);
  });

  test('a service with a secret key asks for all its people from one address', async () => {
    const service = await navbat.createProject({ settings: { sms_daily_budget_micros: 100_000_000 } });
    const there = fromHome();
    const replies = await inTurn(60, () => ask(service, there));
    expect(countOf(replies, accepted)).toBe(60);
  });
});

test('both ways to ask for a code count together', async () => {
  const app = await newApp();
  const there = fromHome();
  const replies = await inTurn(40, async (n) => {
    const path = n % 2 ? '/auth/code' : '/api/send-otp/';
    const reply = await app.call('POST', path, { phone: newNumber() }, there);
    await confirmAll(app);
    return reply;
  });
  expect(countOf(replies, 429)).toBe(40 - CODES_PER_ADDRESS_PER_HOUR);
});

const tokenFor = async (project: TestProject, phone = newNumber()): Promise<string> => {
  const reply = await project.call('POST', '/enrolments', { phone });
  expect(reply).toMatchObject({ status: 201 });
  return reply.body.token;
};

/** Scans a QR code, somewhere in the world unless said otherwise. */
const claim = (token: string, headers = fromHome()) =>
  send(
    `${navbat.apiUrl}/devices`,
    'POST',
    { token, name: 'Phone', public_key: testPhone(navbat.apiUrl).publicKey },
    headers,
  );

const setBudget = (project: TestProject, micros: number) =>
  navbat.db.query('update project set settings = settings || $2 where id = $1', [
    project.id,
    { sms_daily_budget_micros: micros },
  ]);

describe('POST /devices', () => {
  test('of 40 codes that one address scans, 30 are sent, and the other tokens stay good', async () => {
    const shop = await navbat.createProject();
    const there = fromHome();
    const tokens = await Promise.all(Array.from({ length: 40 }, () => tokenFor(shop)));
    const replies = await inTurn(tokens.length, (n) => claim(tokens[n] ?? '', there));
    expect(countOf(replies, 201)).toBe(CODES_PER_ADDRESS_PER_HOUR);
    expect(countOf(replies, 429)).toBe(40 - CODES_PER_ADDRESS_PER_HOUR);
    const refused = tokens[replies.findIndex(({ status }) => status === 429)] ?? '';
    expect(await claim(refused)).toMatchObject({ status: 201 });
    expect(await claim(await tokenFor(await navbat.createProject()), there)).toMatchObject({ status: 201 });
  });

  test('where no code is sent, none is counted', async () => {
    const shop = await navbat.createProject();
    const there = fromHome();
    const unknown = () => randomBytes(32).toString('base64url');
    for (let n = 0; n < 2 * CODES_PER_ADDRESS_PER_HOUR; n++)
      expect(await claim(unknown(), there)).toMatchObject({ status: 410 });
    expect(await claim(await tokenFor(shop), there)).toMatchObject({ status: 201 });
  });
});

describe('the code of an enrolment is paid by the project that asked for it', () => {
  test('one that may spend nothing has none sent, and its token is good once it may', async () => {
    const shop = await navbat.createProject({ settings: { sms_daily_budget_micros: 0 } });
    const [token, before] = [await tokenFor(shop), await jobsOf(PLATFORM_PROJECT_ID)];
    for (let n = 0; n < 3; n++)
      expect(await claim(token)).toMatchObject({
        status: 422,
        body: {
          type: 'urn:navbat:problem:budget-spent',
          retry: 'later',
          setting: 'sms_daily_budget_micros',
          detail: expect.stringMatching(/renewed from \d{4}-\d{2}-\d{2} 00:00 UTC/),
          next_step: expect.stringContaining('sms_daily_budget_micros'),
          docs: '/docs/problems#budget-spent',
        },
      });
    expect(await jobsOf(PLATFORM_PROJECT_ID)).toBe(before);
    expect(await spentBy(shop.id)).toBe(0);
    await setBudget(shop, CODE_MICROS);
    expect(await claim(token)).toMatchObject({ status: 201, body: { code_sent_to: expect.any(String) } });
    expect(await spentBy(shop.id)).toBe(CODE_MICROS);
    expect(await claim(await tokenFor(shop))).toMatchObject({ status: 422 });
  });

  test('of 50 claims at once as many pass as the budget has room for', async () => {
    const shop = await navbat.createProject({
      settings: { sms_daily_budget_micros: 7 * CODE_MICROS + CODE_MICROS - 1 },
    });
    const tokens = await Promise.all(Array.from({ length: 50 }, () => tokenFor(shop)));
    const before = await jobsOf(PLATFORM_PROJECT_ID);
    const replies = await Promise.all(tokens.map((token) => claim(token)));
    expect(countOf(replies, 201)).toBe(7);
    expect(countOf(replies, 422)).toBe(43);
    expect(await jobsOf(PLATFORM_PROJECT_ID)).toBe(before + 7);
    expect(await spentBy(shop.id)).toBe(7 * CODE_MICROS);
  });

  test('what it spent on codes of its own leaves less for enrolments', async () => {
    const shop = await navbat.createProject({ settings: { sms_daily_budget_micros: 2 * CODE_MICROS } });
    await navbat.db.query(
      `insert into paid_spend (project_id, day, spent_micros) values ($1, (now() at time zone 'utc')::date, $2)`,
      [shop.id, CODE_MICROS + 1],
    );
    expect(await claim(await tokenFor(shop))).toMatchObject({ status: 422 });
    expect(await spentBy(shop.id)).toBe(CODE_MICROS + 1);
  });

  test('a code that is refused, as one too many to its number, costs nothing', async () => {
    const shop = await navbat.createProject();
    const number = newNumber();
    for (let n = 0; n < STRANGER_SENDS_PER_HOUR; n++)
      expect(await claim(await tokenFor(shop, number))).toMatchObject({ status: 201 });
    expect(await claim(await tokenFor(shop, number))).toMatchObject({
      status: 429,
      body: { type: 'urn:navbat:problem:publishable-limit' },
    });
    expect(await spentBy(shop.id)).toBe(STRANGER_SENDS_PER_HOUR * CODE_MICROS);
  });

  test('and is worded by Navbat, whatever texts the project has', async () => {
    const template = 'Shop says {code}';
    const shop = await navbat.createProject({
      settings: { display_name: 'Shop', templates: { uz: template, ru: template, en: template } },
    });
    const number = newNumber();
    await codeAfter(navbat, number, async () => {
      expect(await claim(await tokenFor(shop, number))).toMatchObject({ status: 201 });
    });
    expect(navbat.sandbox.inbox({ to: number }).map(({ text }) => text)).not.toContainEqual(
      expect.stringContaining('Shop'),
    );
    const { rows } = await navbat.db.query('select project_id from verification where phone = $1', [number]);
    expect(rows).toEqual([{ project_id: PLATFORM_PROJECT_ID }]);
  });
});

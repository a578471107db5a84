import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { eventBody } from '../../../../domain/webhook/event.ts';
import type { TestProject } from '../../../support/navbat.ts';
import { faultsOfEvent } from '../../../support/event-body.ts';
import { openEarners, typeOf } from './earner.ts';

let world: Awaited<ReturnType<typeof openEarners>>;
beforeAll(async () => {
  world = await openEarners();
});
afterAll(() => world.navbat.stop());

let phones = 930_000_000;
const order = (more: object = {}) => ({
  phone: `+998${(phones += 1)}`,
  name: 'Aziza Karimova',
  amount: '2000000',
  purpose: 'Delivery, November',
  reference: randomUUID(),
  ...more,
});

/** A project with a key for payouts, and so much paid in. */
async function customer(tiyin = 100_000_000n, more: object = {}) {
  const project = await world.navbat.createProject({ scopes: ['payouts'], ...more });
  const [bank, funded] = [await world.book.open('bank'), await world.book.open('funded', project.id)];
  await world.book.post([
    { key: `top-up:${project.id}`, kind: 'top-up', debit: bank, credit: funded, amount: tiyin * 10_000n },
  ]);
  return { ...project, funded };
}
const post = async (project: TestProject, path: string, body: object | undefined, key?: string) => {
  const answer = await fetch(world.navbat.apiUrl + path, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${project.key}`,
      'Content-Type': 'application/json',
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as Record<string, never> & { type?: string },
    replayed: answer.headers.get('idempotent-replayed'),
  };
};
const ask = (project: TestProject, body: object, key: string = randomUUID()) =>
  post(project, '/payouts', body, key);
const balance = (account: string) => world.book.balance(account);

describe('a payout', () => {
  test('to a phone without a card waits for one, out of what the project has paid in', async () => {
    const shop = await customer();
    const asked = order();
    const { status, body } = await ask(shop, asked);
    expect([status, body]).toEqual([
      202,
      { id: expect.any(String), reference: asked.reference, state: 'awaiting-card', repeated: false },
    ]);
    expect(await balance(shop.funded)).toBe(980_000_000_000n);
    const shown = await shop.call('GET', `/payouts/${body['id']}`);
    expect(shown.body).toMatchObject({
      state: 'awaiting-card',
      amount: '2000000',
      fee: '0',
      phone: asked.phone,
      name: 'Aziza Karimova',
      expires_at: expect.any(String),
    });
    expect((await shop.call('GET', `/payouts?reference=${asked.reference}`)).body.data).toHaveLength(1);
  });

  test('to a phone whose card is usable is payable at once, with the score of its name', async () => {
    const shop = await customer();
    const asked = order();
    await world.navbat.db.query(
      `insert into payout_destination (project_id, phone, rail, token_encrypted, holder_hash, last4, holder_name, usable_from, made_at)
       values ($1, $2, 'multicard', 'x', sha256('x'), '4321', 'KARIMOVA AZIZA', now() - interval '1 day', now() - interval '2 days')`,
      [PLATFORM_PROJECT_ID, asked.phone],
    );
    const { body } = await ask(shop, asked);
    expect(body['state']).toBe('pending');
    const { rows } = await world.navbat.db.query('select name_score from payout where id = $1', [body['id']]);
    expect(rows[0].name_score).toBeGreaterThan(80);
    // No card is told to whoever asks.
    expect(JSON.stringify((await shop.call('GET', `/payouts/${body['id']}`)).body)).not.toMatch(
      /4321|KARIMOVA/,
    );
  });

  test('without a key is 400; the same key again is the same answer; another body under it is 422', async () => {
    const shop = await customer();
    const [asked, key] = [order(), randomUUID()];
    expect(typeOf(await post(shop, '/payouts', asked))).toBe('idempotency-key-missing');
    const first = await ask(shop, asked, key);
    expect(await ask(shop, asked, key)).toEqual({ ...first, replayed: 'true' });
    expect(typeOf(await ask(shop, order(), key))).toBe('idempotency-key-reused');
    expect(await balance(shop.funded)).toBe(980_000_000_000n);
  });

  test('of a reference that stands for another is refused; by a second key of the project it is the first', async () => {
    const shop = await customer();
    const asked = order();
    const first = await ask(shop, asked);
    expect(typeOf(await ask(shop, { ...asked, amount: '2000001' }))).toBe('reference-reused');
    const { rows } = await world.navbat.db.query(
      `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at)
       select gen_random_uuid(), project_id, access, mode, sha256(hash), hint, scopes, created_at from api_key where project_id = $1
       returning id`,
      [shop.id],
    );
    const again = await world.navbat.db.query(
      `select id, repeated from payout_ask_by_key($1, $2, $3, 1000000000, array[$4], array['Aziza Karimova'], array['Delivery, November'],
         array[$5], array[2000000::bigint], array[null::uuid], array[null::smallint])`,
      [PLATFORM_PROJECT_ID, shop.id, rows[0].id, asked.phone, asked.reference],
    );
    expect(again.rows).toEqual([{ id: first.body['id'], repeated: true }]);
    expect(await balance(shop.funded)).toBe(980_000_000_000n);
  });

  test('is cancelled by its project alone, and the money is back', async () => {
    const [shop, other] = [await customer(), await customer()];
    const { body } = await ask(shop, order());
    const path = `/payouts/${body['id']}/cancel`;
    expect((await post(other, path, undefined, 'k')).status).toBe(404);
    expect((await other.call('GET', `/payouts/${body['id']}`)).status).toBe(404);
    expect((await other.call('GET', '/payouts')).body.data).toEqual([]);
    expect(await post(shop, path, undefined, 'k')).toMatchObject({
      status: 200,
      body: { state: 'cancelled' },
    });
    expect(typeOf(await post(shop, path, undefined, 'k2'))).toBe('payout-not-open');
    expect(await balance(shop.funded)).toBe(1_000_000_000_000n);
  });

  test.each<[object, string]>([
    [{ phone: '901234567' }, '/phone'],
    [{ amount: 2000000 }, '/amount'],
    [{ amount: '20000.00' }, '/amount'],
    ...[
      '0',
      '-2000000',
      '+2000000',
      ' 2000000',
      '02000000',
      '2e6',
      '0x1e8480',
      '２００００００',
      '٢٠٠٠٠٠٠',
      '999999999999999',
    ].map((amount) => [{ amount }, '/amount'] as [object, string]),
    ...[true, null, ['2000000'], { 0: '2000000' }, Number.MAX_SAFE_INTEGER].map(
      (amount) => [{ amount }, '/amount'] as [object, string],
    ),
    [{ name: 'Aziza\nKarimova' }, '/name'],
    [{ purpose: 'to 8600 1234 5678 9012' }, '/purpose'],
    [{ purpose: 'to ８６００ １２３４ ５６７８ ９０１２' }, '/purpose'],
    [{ name: '8600123456789012' }, '/name'],
    [{ purpose: 'Bonus: navbat-bonus.uz' }, '/purpose'],
    [{ purpose: 'Call +998 71 200 00 00' }, '/purpose'],
    [{ purpose: 'Grant \u202Ezutabvan' }, '/purpose'],
    [{ purpose: 'Grant\u200B' }, '/purpose'],
    [{ name: 'Aziza t.me/navbat' }, '/name'],
    [{ reference: '8600123456789012' }, '/reference'],
    [{ reference: 'with space' }, '/reference'],
    [{ card: '8600123456789012' }, '/card'],
  ])('with %j is 400, and nothing of a card is repeated', async (more, pointer) => {
    const { status, body } = await ask(await customer(), order(more));
    const { errors } = body as unknown as { errors: { pointer: string }[] };
    expect([status, errors.map((error) => error.pointer)]).toEqual([400, [pointer]]);
    expect(JSON.stringify(body)).not.toContain('8600');
  });
});

describe('many payouts', () => {
  test('are all or none, in their order', async () => {
    const shop = await customer(5_000_000n);
    const three = [order(), order(), order()];
    const refused = await post(shop, '/payouts/batches', { payouts: three }, randomUUID());
    expect([refused.status, typeOf(refused)]).toEqual([422, 'insufficient']);
    expect((await shop.call('GET', '/payouts')).body.data).toEqual([]);
    const two = await post(shop, '/payouts/batches', { payouts: three.slice(0, 2) }, randomUUID());
    const { data } = two.body as unknown as { data: { reference: string }[] };
    expect(data.map(({ reference }) => reference)).toEqual(
      three.slice(0, 2).map(({ reference }) => reference),
    );
    expect(await balance(shop.funded)).toBe(10_000_000_000n);
  });

  test('are as many as the description says', async () => {
    const payouts = Array.from({ length: 500 }, () => order());
    const made = await post(await customer(1_000_000_000n), '/payouts/batches', { payouts }, randomUUID());
    expect(made.status, JSON.stringify(made.body)).toBe(202);
    expect((made.body as unknown as { data: unknown[] }).data).toHaveLength(500);
  });

  test('with one reference twice are 400', async () => {
    const reference = randomUUID();
    const body = { payouts: [order({ reference }), order({ reference })] };
    expect((await post(await customer(), '/payouts/batches', body, 'k')).status).toBe(400);
  });

  test('and cancels under one key are done once; without a key each is 400', async () => {
    const shop = await customer();
    const twice = async (path: string, body?: object) => {
      expect(typeOf(await post(shop, path, body))).toBe('idempotency-key-missing');
      const key = randomUUID();
      const first = await post(shop, path, body, key);
      expect(await post(shop, path, body, key)).toEqual({ ...first, replayed: 'true' });
      return first.body;
    };
    const made = await twice('/payouts/batches', { payouts: [order(), order()] });
    expect(await balance(shop.funded)).toBe(960_000_000_000n);
    const { data } = made as unknown as { data: { id: string }[] };
    await twice(`/payouts/${data[0]?.id}/cancel`);
    expect(await balance(shop.funded)).toBe(980_000_000_000n);
  });

  test('of the same payees in other orders, many at once, wait for each other and none fails', async () => {
    const shop = await customer(1_000_000_000n);
    const payees = Array.from({ length: 12 }, () => order());
    const calls = Array.from({ length: 8 }, (_, turn) => {
      const mixed = [...payees.slice(turn), ...payees.slice(0, turn)];
      const payouts = mixed.map((one) => ({ ...one, reference: randomUUID() }));
      return post(shop, '/payouts/batches', { payouts }, randomUUID());
    });
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(await balance(shop.funded)).toBe((1_000_000_000n - 96n * 2_000_000n) * 10_000n);
  });
});

describe('a key', () => {
  test.each([
    ['without the scope', { scopes: ['otp', 'jobs', 'projects'] }, 'insufficient-scope'],
    ['of a test', { scopes: ['payouts'], mode: 'test' }, 'live-key-required'],
    ['that is publishable', { scopes: ['payouts'], access: 'publishable' }, 'insufficient-scope'],
  ])('%s is 403', async (_what, more, type) => {
    const shop = await customer(100_000_000n, more);
    for (const [path, body] of [
      ['/payouts', order()],
      ['/payouts/batches', { payouts: [order()] }],
    ] as const) {
      const refused = await post(shop, path, body, 'k');
      expect([refused.status, typeOf(refused)]).toEqual([403, type]);
    }
  });

  test('that is stolen asks for as much as its day allows, however it is divided, and for nothing of another project', async () => {
    const shop = await customer(100_000_000n, { settings: { payouts_daily_uzs: 50_000 } });
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(shop, order())));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(2);
    expect(new Set(answers.filter(({ status }) => status !== 202).map(typeOf))).toEqual(
      new Set(['key-day-limit']),
    );
    expect(await balance(shop.funded)).toBe(960_000_000_000n);
  });
});

test('the project is told of the end of what its key asked for, and of no card', async () => {
  const shop = await customer();
  await world.navbat.db.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, created_at, updated_at)
     values (gen_random_uuid(), $1, 'live', 'https://example.com/hook', 'example.com', now(), now())`,
    [shop.id],
  );
  const asked = order();
  await world.navbat.db.query(
    `insert into payout_destination (project_id, phone, rail, token_encrypted, holder_hash, last4, holder_name, usable_from, made_at)
     values ($1, $2, 'multicard', 'sim4711', sha256('y'), '4321', 'KARIMOVA AZIZA', now() - interval '1 day', now() - interval '2 days')`,
    [PLATFORM_PROJECT_ID, asked.phone],
  );
  const { body } = await ask(shop, asked);
  expect(body['state']).toBe('pending');
  await post(shop, `/payouts/${body['id']}/cancel`, undefined, 'k');
  const { rows } = await world.navbat.db.query(
    'select type, mode, happened_at "happenedAt", data from webhook_event where subject_id = $1',
    [body['id']],
  );
  expect(rows).toHaveLength(1);
  expect(faultsOfEvent(eventBody(rows[0]))).toEqual([]);
  expect(rows[0]).toMatchObject({
    type: 'payout.cancelled',
    data: {
      reference: asked.reference,
      amount: '2000000',
      reason: 'by-key',
      to: `+998•••••••${asked.phone.slice(-2)}`,
    },
  });
  const jobs = await world.navbat.db.query(`select * from job where kind = 'webhook' and project_id = $1`, [
    shop.id,
  ]);
  expect(jobs.rowCount).toBe(1);
  for (const told of [eventBody(rows[0]), rows[0], jobs.rows[0]])
    expect(JSON.stringify(told)).not.toMatch(/4321|KARIMOVA|sim4711/);
});

import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import writeXlsxFile, { type SheetData } from 'write-excel-file/node';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { StaffRole } from '../../../../domain/staff/role.ts';
import { bookOf } from '../../../infra/postgres/pay/posting.ts';
import { openBoard, type OpenBoard } from '../open-board.ts';

const MICROS = 10_000n;
/** 20 000 UZS. */
const GROSS = 2_000_000n;

let board: OpenBoard;
let tokens: Record<'finance' | 'admin' | 'operator', string>;
let funder: string;
beforeAll(async () => {
  board = await openBoard({
    env: { NAVBAT_PRODUCTS: 'verify,message,pay', MONEY_PROJECT: PLATFORM_PROJECT_ID },
  });
  const roles = ['admin', 'operator', 'finance'] as const satisfies readonly StaffRole[];
  tokens = Object.fromEntries(
    await Promise.all(
      roles.map(async (role) => [role, await board.openBearer(await board.createMember(role))]),
    ),
  ) as typeof tokens;
});
afterAll(() => board.close());

/** A project that has paid in so many tiyin. */
async function paidIn(tiyin: bigint): Promise<string> {
  const book = bookOf(board.owner, PLATFORM_PROJECT_ID);
  const id = randomUUID();
  const [bank, funded] = [await book.open('bank'), await book.open('funded', id)];
  await book.post([
    { key: `top-up:${id}`, kind: 'top-up', debit: bank, credit: funded, amount: tiyin * MICROS },
  ]);
  return id;
}
let phones = 0;
const line = (amount: string | number = 20_000, name = 'Vali Aliyev') =>
  [`+99890${String((phones += 1)).padStart(7, '0')}`, name, amount, 'Grant'] as const;
const xlsx = (lines: readonly (readonly (string | number)[])[]) =>
  writeXlsxFile(
    [['Telefon', 'F.I.Sh.', 'Summa', 'Maqsad'], ...lines].map((row) =>
      row.map((value) => ({ value })),
    ) as SheetData,
  ).toBuffer();
const csv = (lines: readonly (readonly (string | number)[])[]) =>
  Buffer.from(['Телефон;ФИО;Сумма;Назначение', ...lines.map((cells) => cells.join(';'))].join('\r\n'));

interface Sending {
  readonly role?: keyof typeof tokens;
  readonly key?: string;
  readonly type?: string;
}
const send = (
  bytes: Buffer,
  query: object,
  { role = 'finance', key = randomUUID(), type = 'text/csv' }: Sending = {},
) =>
  supertest(board.url)
    .post('/finance/lists')
    .query(query)
    .set('Authorization', `Bearer ${tokens[role]}`)
    .set('Idempotency-Key', key)
    .set('Content-Type', type)
    .send(bytes);
const get = (path: string) => supertest(board.url).get(path).set('Authorization', `Bearer ${tokens.finance}`);
/** Imports that wait for somebody else. */
const waiting = `select count(*)::int n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
const countLists = async () => (await get('/finance/lists?limit=100').expect(200)).body.data.length as number;

describe('a dry run', () => {
  test('says all that is wrong, the sum, what is missing, and imports nothing', async () => {
    funder = await paidIn(GROSS);
    const before = await countLists();
    const file = await xlsx([line(), line(), line('1,234'), [901234567, '', '=1', '8600123412341239']]);
    const { body } = await send(
      file,
      { dry_run: 'true', funder },
      { type: 'application/octet-stream' },
    ).expect(200);
    expect(body).toMatchObject({
      lines: 2,
      total: '4000000',
      total_uzs: '40000.00',
      funds: '2000000',
      missing: '2000000',
      faults_total: 2,
      repeats: [],
    });
    expect(
      body.faults.map(({ line: at, column, code }: Record<string, unknown>) => [at, column, code]),
    ).toEqual([
      [4, 'C, Summa', 'amount-ambiguous'],
      [5, 'D, Maqsad', 'card-number'],
    ]);
    expect(JSON.stringify(body)).not.toContain('8600123412341239');
    expect(await countLists()).toBe(before);
  });

  test('needs no Idempotency-Key', async () => {
    const { body } = await supertest(board.url)
      .post('/finance/lists?dry_run=true')
      .set('Authorization', `Bearer ${tokens.finance}`)
      .set('Content-Type', 'text/csv')
      .send(csv([line()]))
      .expect(200);
    expect(body).toMatchObject({ lines: 1, faults_total: 0 });
  });

  test('of a file that is no list explains that', async () => {
    const { body } = await send(Buffer.from('%PDF-1.7\0'), { dry_run: 'true' }).expect(200);
    expect(body).toMatchObject({ lines: 0, faults: [{ code: 'file-unreadable' }] });
  });
});

describe('an import', () => {
  test('holds the money of each line; its list and lines can be read', async () => {
    funder = await paidIn(3n * GROSS);
    const [first, second] = [line(), line()];
    const { body } = await send(csv([first, second]), { name: 'Grants', funder }).expect(201);
    expect(body).toMatchObject({
      name: 'Grants',
      funder,
      lines: 2,
      total: '4000000',
      states: { 'awaiting-card': 2 },
    });
    expect((await get(`/finance/lists/${body.id}`).expect(200)).body).toEqual(body);
    expect((await get('/finance/lists').expect(200)).body.data[0]).toEqual(body);
    const lines = (await get(`/finance/lists/${body.id}/lines?limit=1`).expect(200)).body;
    expect(lines).toMatchObject({
      data: [
        {
          line: 2,
          phone: `+998${'•'.repeat(7)}${first[0].slice(-2)}`,
          name: 'Vali Aliyev',
          amount: '2000000',
          state: 'awaiting-card',
          link: null,
        },
      ],
      next_after: 2,
    });
    const rest = (await get(`/finance/lists/${body.id}/lines?after=2`).expect(200)).body;
    expect(rest).toMatchObject({ data: [{ line: 3 }], next_after: null });
    expect((await send(csv([line()]), { dry_run: 'true', funder })).body.funds).toBe(GROSS.toString());
  });

  test('sent again under its key is answered with the same list, and moves nothing', async () => {
    funder = await paidIn(5n * GROSS);
    const [file, key] = [csv([line()]), randomUUID()];
    const query = { name: 'Grants', funder };
    const first = await send(file, query, { key }).expect(201);
    const again = await send(file, query, { key }).expect(200);
    expect([again.body.id, again.headers['idempotent-replayed']]).toEqual([first.body.id, 'true']);
    const other = await send(csv([line()]), query, { key }).expect(422);
    expect(other.body.type).toBe('urn:navbat:problem:idempotency-key-reused');
    expect((await send(file, { dry_run: 'true', funder })).body.funds).toBe((4n * GROSS).toString());
  });

  test('of a list with a wrong line is refused as a whole, with what is wrong', async () => {
    funder = await paidIn(5n * GROSS);
    const before = await countLists();
    const { body } = await send(csv([line(), line('9,98901E+11')]), { name: 'Grants', funder }).expect(422);
    expect(body).toMatchObject({
      type: 'urn:navbat:problem:list-faulty',
      errors: [
        { pointer: 'line 3, C, Сумма', detail: expect.stringContaining('9,98901E+11: expected all digits') },
      ],
    });
    expect(await countLists()).toBe(before);
    expect((await send(csv([line()]), { dry_run: 'true', funder })).body.funds).toBe((5n * GROSS).toString());
  });

  test('that the project cannot pay says how much it lacks', async () => {
    funder = await paidIn(GROSS);
    const { body } = await send(csv([line(), line('20000.01')]), { name: 'Grants', funder }).expect(422);
    expect(body).toMatchObject({
      type: 'urn:navbat:problem:list-unfunded',
      detail: "The project that `funder` names lacks 20000.01 UZS; without `funder` it is Navbat's own.",
      missing: '2000001',
    });
  });

  test('of what an earlier list paid asks whether that is meant', async () => {
    funder = await paidIn(5n * GROSS);
    const file = csv([line(), line()]);
    await send(file, { name: 'October', funder }).expect(201);
    const { body } = await send(file, { name: 'November', funder }).expect(422);
    expect(body).toMatchObject({
      type: 'urn:navbat:problem:list-repeats',
      errors: [
        { pointer: 'line 2', detail: expect.stringContaining('the list October of') },
        { pointer: 'line 3' },
      ],
    });
    expect((await send(file, { dry_run: 'true', funder })).body.repeats).toMatchObject([
      { line: 2, list: 'October' },
      { line: 3 },
    ]);
    await send(file, { name: 'November', funder, repeats: 'allowed' }).expect(201);
  });

  test('of one file that is sent twice at once, under other keys, is made once', async () => {
    funder = await paidIn(20n * GROSS);
    const file = csv([line(), line()]);
    const book = await board.owner.connect();
    onTestFinished(() => book.release());
    // Who posts holds the book: both lists have been read when the first of them may post.
    await book.query('begin');
    await book.query('select from ledger_book for update');
    const both = Promise.all(
      ['October', 'Oktabr'].map((name) => send(file, { name, funder }).then((answer) => answer)),
    );
    await expect
      .poll(async () => (await board.pool.query<{ n: number }>(waiting)).rows[0]?.n, {
        interval: 20,
        timeout: 20_000,
      })
      .toBe(2);
    await book.query('commit');
    const sent = await both;
    expect(sent.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(sent.find(({ status }) => status === 422)?.body.type).toBe('urn:navbat:problem:list-repeats');
    expect((await send(csv([line()]), { dry_run: 'true', funder })).body.funds).toBe(
      (18n * GROSS).toString(),
    );
  });

  test('by the bank to a fourth account of a payee is taken; to one that gave money back it says so', async () => {
    funder = await paidIn(6n * GROSS);
    const [phone, name, , purpose] = line();
    const file = (amount: number) =>
      Buffer.from(
        [
          'Телефон;ФИО;Сумма;Назначение;Счет;МФО',
          [phone, name, amount, purpose, `2261800010000000000${amount % 10}`, '00873'].join(';'),
        ].join('\r\n'),
      );
    const query = { name: 'Bank', funder, rail: 'bank-file' };
    for (const amount of [20_000, 20_001, 20_002, 20_003]) await send(file(amount), query).expect(201);
    await board.owner.query('update payout_destination set distrusted_at = now() where phone = $1', [phone]);
    const { body } = await send(file(20_003), { ...query, repeats: 'allowed' }).expect(422);
    expect(body.type).toBe('urn:navbat:problem:destination-gone');
  });
});

describe('an import is refused', () => {
  test.each([
    ['without a name', { query: {}, status: 400 }],
    ['with a card in its name', { query: { name: 'card 8600123412341239' }, status: 400 }],
    ['for a rail that takes no lists', { query: { name: 'x', rail: 'paypal' }, status: 400 }],
    ['as JSON', { query: { name: 'x' }, type: 'application/json', status: 415 }],
    ['as a form of a page', { query: { name: 'x' }, type: 'application/x-www-form-urlencoded', status: 415 }],
    ['by an operator', { query: { name: 'x' }, role: 'operator', status: 403 }],
    ['by an admin, who makes no payments', { query: { name: 'x' }, role: 'admin', status: 403 }],
    ['under a key that is a card', { query: { name: 'x' }, key: '8600123412341239', status: 400 }],
  ] as const)('%s', async (_what, { query, status, ...sending }) => {
    const before = await countLists();
    funder = await paidIn(GROSS);
    await send(csv([line()]), { funder, ...query }, sending as Sending).expect(status);
    expect(await countLists()).toBe(before);
  });

  test('without an Idempotency-Key, and above 20 MB', async () => {
    await supertest(board.url)
      .post('/finance/lists')
      .query({ name: 'x' })
      .set('Authorization', `Bearer ${tokens.finance}`)
      .set('Content-Type', 'text/csv')
      .send(csv([line()]))
      .expect(400);
    await send(Buffer.alloc(20_000_001), { name: 'x' }).expect(413);
  });

  test('a list that is not there is 404', async () => {
    await get(`/finance/lists/${randomUUID()}`).expect(404);
    await get(`/finance/lists/${randomUUID()}/lines`).expect(404);
  });
});

describe('a link', () => {
  const again = (payout: string, role: keyof typeof tokens = 'finance') =>
    supertest(board.url)
      .post(`/finance/payouts/${payout}/link`)
      .set('Authorization', `Bearer ${tokens[role]}`);
  const typeOf = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:navbat:problem:', '');

  test('is sent again by finance alone, and says nothing of the token; the list says how many have theirs', async () => {
    funder = await paidIn(2n * GROSS);
    const list = (await send(csv([line(), line()]), { name: 'Links', funder }).expect(201)).body;
    expect(list.links).toEqual({ sent: 0, waiting: 2, unreachable: 0 });
    const [first] = (await get(`/finance/lists/${list.id}/lines`).expect(200)).body.data;

    for (const role of ['operator', 'admin'] as const) await again(first.payout_id, role).expect(403);
    expect(typeOf(await again(randomUUID()).expect(404))).toBe('not-found');
    expect((await again(first.payout_id).expect(202)).body).toEqual({ payout_id: first.payout_id });
    expect(typeOf(await again(first.payout_id).expect(409))).toBe('link-not-sent');

    // Nobody takes it.
    await board.pool.query(
      'update payout_link set failed_at = navbat_now(), token_encrypted = null where payout_id = $1',
      [first.payout_id],
    );
    const tooSoon = await again(first.payout_id).expect(429);
    expect([typeOf(tooSoon), tooSoon.headers['retry-after']]).toEqual(['link-not-sent', '3600']);
    const [line1] = (await get(`/finance/lists/${list.id}/lines`).expect(200)).body.data;
    expect(line1.link).toMatchObject({ channel: null, sent_at: null, failed_at: expect.any(String) });
    expect((await get(`/finance/lists/${list.id}`).expect(200)).body.links).toEqual({
      sent: 0,
      waiting: 1,
      unreachable: 1,
    });
  });
});

test('a payout of a list that was imported by mistake is cancelled once, by finance or an admin, and says why', async () => {
  funder = await paidIn(GROSS);
  const list = (await send(csv([line()]), { name: 'By mistake', funder }).expect(201)).body;
  const [{ payout_id: id }] = (await get(`/finance/lists/${list.id}/lines`).expect(200)).body.data;
  const cancel = (role: keyof typeof tokens, of = id) =>
    supertest(board.url)
      .post(`/finance/payouts/${of}/cancel`)
      .set('Authorization', `Bearer ${tokens[role]}`)
      .send({ reason: 'imported by mistake' });
  await cancel('operator').expect(403);
  await cancel('admin', randomUUID()).expect(404);
  expect((await cancel('admin').expect(200)).body).toEqual({ id, state: 'cancelled', version: 2 });
  expect((await cancel('finance').expect(409)).body).toMatchObject({ state: 'cancelled' });
  expect((await get(`/finance/payouts/${id}`).expect(200)).body).toMatchObject({
    state: 'cancelled',
    reason: 'by-staff',
    reason_detail: 'Staff of finance cancelled it.',
    transfers: [{ kind: 'hold' }, { kind: 'release' }],
  });
});

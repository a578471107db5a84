import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { StaffRole } from '../../../../domain/staff/role.ts';
import { bookOf } from '../../../infra/postgres/pay/posting.ts';
import { openBoard, type OpenBoard } from '../open-board.ts';

/** A person earns it line by line, and holds some of it: what the statement is of. */
const LINES = 2_345;
const EARNED = 12_345_678n;

let board: OpenBoard;
let tokens: Record<StaffRole, string>;
let account: string;
let held: string;
let person: string;
beforeAll(async () => {
  board = await openBoard({
    env: { NAVBAT_PRODUCTS: 'verify,message,pay', MONEY_PROJECT: PLATFORM_PROJECT_ID },
  });
  const roles = ['admin', 'operator', 'finance', 'developer', 'viewer'] as const;
  const opened = await Promise.all(
    roles.map(async (role) => [role, await board.openBearer(await board.createMember(role))] as const),
  );
  tokens = Object.fromEntries(opened) as typeof tokens;
  const book = bookOf(board.owner, PLATFORM_PROJECT_ID);
  person = randomUUID();
  [account, held] = [await book.open('available', person), await book.open('held', person)];
  const earnings = await book.open('earnings');
  for (let from = 0; from < LINES; from += 1_000)
    await book.post(
      Array.from({ length: Math.min(1_000, LINES - from) }, (_, index) => ({
        key: `earn:${from + index}`,
        kind: 'earn',
        debit: earnings,
        credit: account,
        amount: EARNED,
      })),
    );
  await book.post(
    [
      {
        key: '=cmd|/c;=calc,"x"',
        kind: 'hold',
        debit: account,
        credit: held,
        amount: 5_000_001n,
        subject: person,
      },
    ],
    '@staff',
  );
});
afterAll(() => board.close());

const get = (path: string, role: StaffRole = 'finance') =>
  supertest(board.url).get(path).set('Authorization', `Bearer ${tokens[role]}`);
const json = async (path: string) => (await get(path).expect(200)).body;
const statementPath = (query = '') => `/finance/accounts/${account}/transfers${query}`;

describe('accounts', () => {
  test('are listed with exact balances, by class, owner and rail', async () => {
    const { data, next_after } = await json(`/finance/accounts?owner=${person}`);
    const balance = BigInt(LINES) * EARNED - 5_000_001n;
    expect(data).toEqual([
      {
        id: account,
        class: 'available',
        owner: person,
        rail: null,
        balance: '28945.614909',
        balance_micros: balance.toString(),
        floor_micros: '0',
        ceiling_micros: null,
        transfers: String(LINES + 1),
      },
      expect.objectContaining({ id: held, class: 'held', balance: '5.000001', balance_micros: '5000001' }),
    ]);
    expect(next_after).toBeNull();
    expect((await json(`/finance/accounts?owner=${person}&class=held`)).data).toHaveLength(1);
    expect((await json('/finance/accounts?rail=none-like-it')).data).toEqual([]);
    expect(await json(`/finance/accounts/${account}`)).toEqual(data[0]);
  });

  test('come in pages', async () => {
    const whole = (await json('/finance/accounts?limit=100')).data;
    const first = await json('/finance/accounts?limit=3');
    const second = await json(`/finance/accounts?limit=100&after=${first.next_after}`);
    expect([...first.data, ...second.data]).toEqual(whole);
    expect(whole.length).toBeGreaterThan(3);
  });

  test.each([
    ['/finance/accounts/999999999', 404],
    ['/finance/accounts/999999999999999999', 404],
    ['/finance/accounts/1000000000000000000', 400],
    ['/finance/accounts/9999999999999999999', 400],
    ['/finance/accounts/0', 400],
    ['/finance/accounts/999999999/transfers', 404],
    ['/finance/accounts?class=purse', 400],
    ['/finance/accounts?owner=everybody', 400],
    ['/finance/accounts/1/transfers?from=2026-11-30&to=2026-11-29', 400],
    ['/finance/accounts/1/transfers?from=2026-02-30', 400],
    ['/finance/accounts/1/transfers?from=2026-11-29T10:00:00', 400],
    ['/finance/accounts/1/transfers?from=1970-01-01&to=0000-01-01', 400],
    ['/finance/accounts/1/transfers?up_to=9999999999999999999', 400],
    ['/finance/accounts/1/transfers?after=9999999999999999999', 400],
    ['/finance/accounts?after=1000000000000000000', 400],
    ['/staff/sessions?cursor=0000-01-01', 400],
    ['/staff/passkeys?cursor=0000-01-01', 400],
    ['/finance/accounts/1/transfers?after=-1', 400],
    ['/finance/accounts/1/transfers?format=xlsx', 400],
  ])('%s answers %i', async (path, status) => {
    const answer = await get(path).expect(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  test('a number of an account is described as it is taken', async () => {
    const { body } = await get('/staff/openapi.json').expect(200);
    const [parameter] = body.paths['/finance/accounts/{id}'].get.parameters;
    const described = new RegExp(parameter.schema.pattern);
    expect(['9'.repeat(18), `1${'0'.repeat(18)}`, '0', '01'].map((id) => described.test(id))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ['/finance/accounts/abc', 'id', 'expected the number of an account, such as 42'],
    ['/finance/accounts?rail=A', 'rail', 'expected the name of a rail, such as multicard'],
    ['/finance/accounts/1/transfers?after=x', 'after', 'expected the number of a transfer, such as 4711'],
    [
      '/finance/accounts/1/transfers?from=x',
      'from',
      'expected a day such as 2026-11-29, or a time with its offset',
    ],
  ])('%s is answered with what was expected of %s', async (path, pointer, detail) => {
    expect((await get(path).expect(400)).body.errors).toEqual([{ pointer, detail }]);
  });
});

test.each(['0000-01-01', '-000001-01-01', '10000-01-01', '1969-12-31', 'infinity', '2026-11-29%00', ''])(
  'the day %j is none of ours',
  async (day) => {
    await get(`/finance/ledger/days?after=${day}`).expect(400);
    await get(statementPath(`?from=${day}`)).expect(400);
    await get(statementPath(`?to=${day}`)).expect(400);
  },
);

test.each(['0000-01-01T00:00:00Z', '0001-01-01T00:00:00%2B23:59', '9999-12-31T23:59:59-23:59'])(
  'the instant %s is none of ours',
  async (instant) => {
    await get(statementPath(`?from=${instant}`)).expect(400);
    await get(statementPath(`?to=${instant}`)).expect(400);
  },
);

test.each([
  '/finance/ledger/days?after=1970-01-01',
  '/finance/ledger/days?after=9999-12-31',
  '/finance/accounts?after=999999999999999999',
])('%s is asked at the edge of what there is, and answers', async (path) => {
  await json(path);
});

test.each([
  '?from=1970-01-01&to=9999-12-31',
  '?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59.999999999Z',
  '?after=999999999999999999',
  '?up_to=999999999999999999',
  '?up_to=000000000000000000',
])('a statement of %s is asked at the edge of what there is, and answers', async (query) => {
  await json(statementPath(query));
});

describe('a statement', () => {
  test('says what it opens and closes with, and each transfer as its account sees it', async () => {
    const last = await json(statementPath(`?after=${LINES}`));
    const closing = BigInt(LINES) * EARNED - 5_000_001n;
    expect(last).toMatchObject({
      opening_micros: '0',
      opening_balance: '0.00',
      closing_micros: closing.toString(),
      up_to: String(LINES + 1),
      next_after: null,
    });
    expect(last.data).toEqual([
      {
        n: String(LINES + 1),
        kind: 'hold',
        key: '=cmd|/c;=calc,"x"',
        amount: '-5.000001',
        amount_micros: '-5000001',
        before_micros: (closing + 5_000_001n).toString(),
        after_micros: closing.toString(),
        other: { id: held, class: 'held', owner: person, rail: null },
        subject_id: person,
        event_at: '2026-11-29T10:00:00.000000Z',
        posted_at: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        actor: '@staff',
      },
    ]);
  });

  test('in pages is, joined, the file', async () => {
    const keys: string[] = [];
    for (let after: string | null = '0'; after !== null;) {
      const page: { data: { n: string; amount_micros: string }[]; next_after: string | null } = await json(
        statementPath(`?limit=100&after=${after}`),
      );
      keys.push(...page.data.map(({ n, amount_micros }) => `${n} ${amount_micros}`));
      after = page.next_after;
    }
    const rows = (await get(statementPath('?format=csv')).expect(200)).text.split('\r\n').slice(1, -2);
    expect(rows.map((row) => row.split(',')).map(([n, , , , , micros]) => `${n} ${micros}`)).toEqual(keys);
    expect(keys).toHaveLength(LINES + 1);
  });

  test('as a file ends with count, sum and balances, and holds no formula', async () => {
    const answer = await get(statementPath()).set('Accept', 'text/csv').expect(200);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="statement-${account}.csv"`);
    const lines = answer.text.split('\r\n');
    const closing = BigInt(LINES) * EARNED - 5_000_001n;
    expect(lines.at(-1)).toBe('');
    expect(lines.at(-2)).toBe(`total,${LINES + 1},,,28945.614909,${closing},0,${closing},,,,,,,`);
    expect(lines.at(-3)).toContain(`,hold,-5.000001,-5000001,`);
    expect(lines.at(-3)).toContain(`,"'=cmd|/c;'=calc,""x""",${person},${held},held,${person},,"'@staff"`);
    expect(lines).toHaveLength(LINES + 4);
    // Each has as many cells as the heading, and none begins like a formula.
    for (const line of lines.slice(0, -1)) {
      const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g)?.slice(0, 15) ?? [];
      expect(cells).toHaveLength(15);
      expect(
        cells.filter((cell) => /^"?[=+@\t\r]/.test(cell) || /^"?-(?!\d+(\.\d+)?,?$)/.test(cell)),
      ).toEqual([]);
    }
  });

  test('is JSON unless a file is asked for', async () => {
    expect((await get(statementPath()).set('Accept', '*/*').expect(200)).type).toBe('application/json');
    const asked = get(statementPath('?format=json')).set('Accept', 'text/csv');
    expect((await asked.expect(200)).type).toBe('application/json');
    const head = supertest(board.url)
      .head(statementPath('?format=csv'))
      .set('Authorization', `Bearer ${tokens.finance}`);
    expect((await head.expect(200)).type).toBe('text/csv');
  });

  test('until a time has nothing of that time, and until a millionth of a second later has it', async () => {
    const { posted_at } = (await json(statementPath(`?after=${LINES}`))).data[0];
    const last = async (query: string) =>
      (await json(statementPath(`?after=${LINES}&${query}`))).data.map(({ n }: { n: string }) => n);
    const later = `${posted_at.slice(0, -7)}${String(Number(posted_at.slice(-7, -1)) + 1).padStart(6, '0')}Z`;
    expect(await last(`to=${posted_at}`)).toEqual([]);
    expect(await last(`to=${later}`)).toEqual([String(LINES + 1)]);
    expect(await last(`from=${posted_at}`)).toEqual([String(LINES + 1)]);
    expect(await last(`from=${later}`)).toEqual([]);
  });

  test('of a day is of a day in Tashkent, and empty before and after', async () => {
    const { posted_at } = (await json(statementPath(`?after=${LINES}`))).data[0];
    const day = (ms: number) => new Date(ms + 5 * 3_600_000).toISOString().slice(0, 10);
    const today = day(Date.parse(posted_at));
    const [yesterday, tomorrow] = [-1, 1].map((days) => day(Date.parse(posted_at) + days * 86_400_000));
    const before = await json(statementPath(`?to=${yesterday}`));
    expect(before).toMatchObject({ opening_micros: '0', closing_micros: '0', data: [] });
    const after = await json(statementPath(`?from=${tomorrow}`));
    const closing = (BigInt(LINES) * EARNED - 5_000_001n).toString();
    expect(after).toMatchObject({ opening_micros: closing, closing_micros: closing, data: [] });
    expect((await json(statementPath(`?to=${today}`))).closing_micros).toBe(closing);
  });
});

describe('what finance reads', () => {
  const paths = () => [
    '/finance/accounts',
    `/finance/accounts/${account}`,
    statementPath(),
    '/finance/ledger/days',
  ];

  test.each(['admin', 'finance'] as const)('is for %s', async (role) => {
    for (const path of paths()) await get(path, role).expect(200);
  });

  test.each(['operator', 'developer', 'viewer'] as const)(
    'is not for %s, whose try is kept',
    async (role) => {
      for (const path of paths()) await get(path, role).expect(403);
      const kept = (await board.audit()).filter(({ detail }) => detail['role'] === role);
      expect(kept.map(({ action, subject }) => `${action} ${subject}`)).toEqual(
        paths().map((path) => `finance.read GET ${path}`),
      );
    },
  );

  test('is for nobody without a session', async () => {
    for (const path of paths()) await supertest(board.url).get(path).expect(401);
  });

  test('is written down for programs', async () => {
    const { paths: documented } = await json('/staff/openapi.json');
    const { content } = documented['/finance/accounts/{id}/transfers'].get.responses['200'];
    expect(Object.keys(content).toSorted()).toEqual(['application/json', 'text/csv']);
  });
});

describe('signed days', () => {
  test('come the newest first, in pages, with totals, head, signature and where they went', async () => {
    const days = ['2026-11-26', '2026-11-27', '2026-11-28'];
    for (const [index, day] of days.entries())
      await board.owner.query(
        `insert into ledger_day (project_id, day, k, n_to, totals, head, jws, chat_sent_at) values ($1, $2, $3, $4, $5, sha256('head'), 'a.b.c', $6)`,
        [
          PLATFORM_PROJECT_ID,
          day,
          index,
          10 * index,
          { available: '12500000', earnings: '-12500000' },
          index === 0 ? '2026-11-27T00:00:00Z' : null,
        ],
      );
    const first = await json('/finance/ledger/days?limit=2');
    expect(first.data.map(({ day }: { day: string }) => day)).toEqual(['2026-11-28', '2026-11-27']);
    const { data } = await json(`/finance/ledger/days?limit=2&after=${first.next_after}`);
    expect(data).toEqual([
      {
        day: '2026-11-26',
        block: '0',
        up_to: '0',
        totals: expect.arrayContaining([
          { class: 'available', balance: '12.50', balance_micros: '12500000' },
          { class: 'earnings', balance: '-12.50', balance_micros: '-12500000' },
        ]),
        head: expect.stringMatching(/^[0-9a-f]{64}$/),
        jws: 'a.b.c',
        chat_sent_at: '2026-11-27T00:00:00.000Z',
        witness_sent_at: null,
      },
    ]);
  });
});

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import writeXlsxFile, { type SheetData } from 'write-excel-file/node';
import { until } from '../../support/navbat.ts';
import { START_MS, startHome, type StartHome, untilReady } from '../../support/npm-start.ts';
import { type Answer, ask, FinancePerson, type Installation, navbat } from './paying/installation.ts';
import { heardBy, type Payee, payees } from './paying/people.ts';

/**
 * `npm start -- --with pay`, and what docs/finance.md tells two people of finance to do there: nothing but HTTP, the command line and the
 * sandbox. The tests build on each other, in this order.
 */
const root = resolve(import.meta.dirname, '../../..');
const PEOPLE = 40;
const REQUESTS = 9;
const BANK_ACCOUNT = '20208000900123456001';
const DAY = '24h10m';
const WAIT_MS_MAX = 120_000;

const everybody = payees(PEOPLE);
let home: StartHome;
let at: Installation;
let aheadMs = 0;
let maker: FinancePerson;
let checker: FinancePerson;
let demo: string;

const forward = async (span: string) => {
  aheadMs = (await navbat(at, 'clock', 'forward', span)).ahead_seconds * 1_000;
};
/** A session lasts twelve hours. */
const nextDay = async () => {
  await forward(DAY);
  await maker.logIn();
  await checker.logIn();
  // The code of the log-in is used.
  await forward('1m');
};

beforeAll(async () => {
  home = await startHome();
  const start = home.start({ BANK_FILE_PAYER: `00444:${BANK_ACCOUNT}:301234567:OOO Navbat` }, [
    process.execPath,
    join(root, 'apps/local/main.ts'),
    '--with',
    'pay',
  ]);
  await untilReady(start);
  const url = (port: string) => `http://127.0.0.1:${port}`;
  at = {
    home: home.path,
    apiUrl: url(home.ports.API_PORT),
    boardUrl: url(home.ports.BOARD_PORT),
    sandboxUrl: url(home.ports.SANDBOX_PORT),
    multicardUrl: url(home.ports.SANDBOX_MULTICARD_PORT),
  };
  const now = () => new Date(Date.now() + aheadMs);
  maker = await FinancePerson.create(at, 'maker@example.com', now);
  checker = await FinancePerson.create(at, 'checker@example.com', now);
  await maker.logIn();
  await checker.logIn();
  const projects = (await navbat(at, 'project', 'list')) as { id: string; slug: string }[];
  demo = projects.find(({ slug }) => slug === 'demo')?.id ?? '';
}, START_MS + WAIT_MS_MAX);
afterAll(() => home.close());

/** The newest of the bank: the maker has uploaded it, and the checker has it from the bank too. */
async function agreeToStatement(): Promise<void> {
  // A code of the second factor is good once: the approval has used those of this moment.
  await forward('1m');
  const { data } = (await checker.send('GET', '/finance/statements?rail=bank-file&limit=1')).body;
  const [{ id, to_agree: waits }] = data;
  const proof_id = await checker.proof({ action: 'money.correct', subject: id, ...waits });
  await checker.send('POST', `/finance/statements/${id}/agree`, { proof_id });
}

/** Asked for by one, agreed to by the other. */
async function correct(path: string, body: object): Promise<void> {
  const asked = await maker.send('POST', path, body, { 'Idempotency-Key': randomUUID() });
  const shown = await checker.send('GET', `/finance/corrections/${asked.body.id}`);
  const { id, version, amount } = shown.body;
  const proof_id = await checker.proof({ action: 'money.correct', subject: id, version, total: amount });
  await checker.send('POST', `/finance/corrections/${id}/agree`, { proof_id }, ifMatch(shown));
  await forward('1m');
}
const ifMatch = ({ headers }: Answer) => ({ 'If-Match': headers.get('etag') ?? '' });

async function importList(name: string, rows: readonly (readonly (string | number)[])[], rail = 'multicard') {
  const heading = ['Telefon', 'F.I.Sh.', 'Summa', 'Maqsad', 'Hisob raqami', 'MFO'];
  const sheet = [heading.slice(0, rows[0]?.length), ...rows].map((row) => row.map((value) => ({ value })));
  const file = await writeXlsxFile(sheet as SheetData).toBuffer();
  const path = `/finance/lists?name=${name}&funder=${demo}&rail=${rail}&repeats=allowed`;
  const headers = { 'Content-Type': 'application/octet-stream', 'Idempotency-Key': randomUUID() };
  const dry = await maker.send('POST', `${path}&dry_run=true`, file, headers);
  expect(dry.body).toMatchObject({ lines: rows.length, faults: [], missing: '0' });
  return (await maker.send('POST', path, file, headers)).body.id as string;
}
const rowsOf = (people: readonly Payee[]) =>
  people.map(({ phone, name }, i) => [phone, name, 20_000 + i, 'Grant']);
const allBound = (list: string, count: number) =>
  until(
    async () => (await maker.send('GET', `/finance/lists/${list}`)).body.states.pending === count,
    WAIT_MS_MAX,
  );

/** From nothing to running; answers its id. */
async function run(rail: string, filter: object): Promise<string> {
  const made = await maker.send('POST', '/finance/batches', { rail, name: 'November' });
  const path = `/finance/batches/${made.body.id}`;
  const added = await maker.send('POST', `${path}/items`, { filter }, ifMatch(made));
  await maker.send('POST', `${path}/submit`, {}, ifMatch(added));
  const read = await checker.send('GET', `${path}/risk`);
  const { id, version, content_hash: hash, count, total } = read.body.batch;
  const proof_id = await checker.proof({ action: 'batch.approve', subject: id, version, hash, count, total });
  const approval = { hash, count, total, proof_id };
  const approved = await checker.send('POST', `${path}/approve`, approval, ifMatch(read));
  await maker.send('POST', `${path}/run`, {}, ifMatch(approved));
  return path;
}
async function close(path: string): Promise<void> {
  // The last receipt may come before the batch knows its end.
  const done = await until(async () => {
    const read = await maker.send('GET', path);
    return read.body.state === 'done' && read;
  }, WAIT_MS_MAX);
  expect((await maker.send('POST', `${path}/close`, {}, ifMatch(done))).body.state).toBe('closed');
}
/** From draft to closed; to look again how far it is counts once. */
const requestsOfBatch = () =>
  new Set([...maker.sent, ...checker.sent].filter((one) => /\/finance\/batches|\/staff\/proofs/.test(one)))
    .size;
const rail = async (path: string, method = 'GET', body?: unknown) =>
  (await ask(`${at.multicardUrl}/control${path}`, method, {}, body)).body;
/** The sandbox's people, who join the bot and press links by themselves. */
const crowd = async (order?: object) =>
  (await ask(`${at.sandboxUrl}/telegram/people`, order ? 'PUT' : 'GET', {}, order)).body;
const receiptOf = ({ chatId }: Payee, words = /•••• \d{4} kartangizga/) =>
  until(async () => (await heardBy(at, chatId)).find((text) => words.test(text)), WAIT_MS_MAX);

test(
  'a list is paid: links answered, made by one, approved by another, closed and reconciled in nine requests',
  async () => {
    await nextDay();
    const { wallet } = await rail('');
    await correct('/finance/wallet-top-ups', {
      rail: 'multicard',
      amount: `${wallet}`,
      reason: 'To the rail',
    });
    await correct('/finance/top-ups', { project_id: demo, amount: '1000000000', reason: 'Order 4711' });
    await crowd({ first_phone: everybody[0]?.phone, count: PEOPLE });
    await until(async () => (await crowd()).joined === PEOPLE, WAIT_MS_MAX);
    await crowd({ presses: `${at.apiUrl}/payout-links/` });
    await rail(
      '/people',
      'PUT',
      everybody.map(({ phone, name }) => ({ phone: phone.slice(1), holder_name: name })),
    );
    await rail('/settings', 'PUT', { people: true, people_after_ms: 100 });
    const known = everybody.slice(PEOPLE / 2);
    const october = await importList('October', rowsOf(known));
    await allBound(october, known.length);
    await nextDay();
    const november = await importList('November', rowsOf(everybody));
    await allBound(november, PEOPLE);
    await nextDay();

    maker.sent.length = 0;
    checker.sent.length = 0;
    const batch = await run('multicard', { list_id: november });
    await Promise.all(everybody.map((payee) => receiptOf(payee)));
    await close(batch);
    expect(requestsOfBatch()).toBe(REQUESTS);
    const payments = (await rail('/payments')) as { status: string; amount: number }[];
    expect(payments.map(({ amount }) => amount).toSorted((a, b) => a - b)).toEqual(
      everybody.map((_, i) => 2_000_000 + i * 100),
    );
    expect(payments.every(({ status }) => status === 'success')).toBe(true);

    // What the rail says is asked each hour.
    await forward('1h10m');
    const books = async () => (await maker.send('GET', '/finance/equation')).body;
    await until(async () =>
      (await books()).rails.every(({ clearing }: { clearing: string }) => clearing === '0'),
    );
    const { holds, rails } = await books();
    const multicard = rails.find((one: { rail: string }) => one.rail === 'multicard');
    expect([holds, multicard.wallet_expected]).toEqual([true, `${(await rail('')).wallet}`]);
    expect((await maker.send('GET', '/finance/differences?open=true')).body.data).toEqual([]);
  },
  START_MS * 3,
);

/** Signed in to the project where the money is, as its own app does it; tokens are short-lived. */
async function accessToken({ phone, chatId }: Payee, app: string): Promise<string> {
  const heard = async () => [...(await heardBy(at, phone)), ...(await heardBy(at, chatId))];
  const before = await heard();
  const headers = { Authorization: `Bearer ${app}` };
  const asked = await ask(`${at.apiUrl}/auth/code`, 'POST', headers, { phone });
  expect(asked.status).toBe(202);
  const code = await until(async () =>
    (await heard())
      .filter((text) => !before.includes(text))
      .map((text) => /\b\d{6}\b/.exec(text)?.[0])
      .find(Boolean),
  );
  const { id, check_token } = asked.body;
  const open = await ask(`${at.apiUrl}/auth/code/verify`, 'POST', headers, { id, check_token, code });
  expect(open.status).toBe(200);
  return open.body.access_token;
}
const as =
  (token: string) =>
  async (method: string, path: string, body?: unknown, more: Record<string, string> = {}) =>
    (await ask(at.apiUrl + path, method, { Authorization: `Bearer ${token}`, ...more }, body)).body;
const signIn = async (person: Payee, app: string) => as(await accessToken(person, app));

test(
  'a person withdraws: a card of their own, a balance, a batch of withdrawals, paid',
  async () => {
    const [person] = everybody;
    if (!person) throw new Error('nobody is there');
    const app = (await navbat(at, 'key', 'create', 'navbat', '--access', 'publishable', '--scopes', 'public'))
      .key;
    const first = await signIn(person, app);
    expect(await first('POST', '/api/profile/destinations', {})).toMatchObject({
      form_url: expect.any(String),
    });
    await until(async () => (await first('GET', '/api/profile/destinations')).data.length === 1);
    await nextDay();
    const { data: paid } = (await maker.send('GET', '/finance/payouts?state=paid&limit=100')).body;
    const { person_id: owner } = paid.find(({ phone }: { phone: string }) => phone === person.phone);
    await correct('/finance/adjustments', {
      of: 'person',
      owner_id: owner,
      direction: 'up',
      amount: '5000000',
      reason: 'Earned elsewhere',
    });
    const me = await signIn(person, app);
    const { data } = await me('GET', '/api/profile/destinations');
    const order = { amount: '2000000', destination_id: data[0].id };
    const asked = await me('POST', '/api/withdraw', order, { 'Idempotency-Key': randomUUID() });
    expect(asked).toMatchObject({ state: 'pending', net: '2000000' });
    expect(await me('GET', '/api/user/balance/me')).toMatchObject({ available: '3000000', held: '2000000' });

    maker.sent.length = 0;
    checker.sent.length = 0;
    const batch = await run('multicard', { source: 'withdrawal' });
    await receiptOf(person, new RegExp(`•••• ${data[0].last4} kartangizga 20 000 so‘m`));
    await close(batch);
    expect(requestsOfBatch()).toBe(REQUESTS);
    expect((await me('GET', '/api/withdraw')).data).toMatchObject([{ id: asked.id, state: 'paid' }]);
    expect(await me('GET', '/api/user/balance/me')).toMatchObject({ available: '3000000', held: '0' });
  },
  START_MS,
);

test(
  'with a bound phone a withdrawal waits for it, and is paid when it has confirmed',
  async () => {
    const [person] = everybody;
    if (!person) throw new Error('nobody is there');
    const { key } = await navbat(
      at,
      'key',
      'create',
      'navbat',
      '--access',
      'publishable',
      '--scopes',
      'public',
    );
    const phone = (path: string, body: object) => ask(at.sandboxUrl + path, 'POST', {}, body);
    const access_token = await accessToken(person, key);
    const bound = await phone('/phones', { api: at.apiUrl, access_token });
    expect(bound.status, JSON.stringify(bound.body)).toBe(201);
    await nextDay();

    const me = as(await accessToken(person, key));
    const [{ id: destination_id }] = (await me('GET', '/api/profile/destinations')).data;
    const order = { amount: '1000000', destination_id };
    const asked = await me('POST', '/api/withdraw', order, { 'Idempotency-Key': randomUUID() });
    expect(asked).toMatchObject({ number: expect.stringMatching(/^\d\d$/) });
    const waits = await maker.send('GET', '/finance/payouts?state=pending&source=withdrawal');
    expect(waits.body.data).toEqual([]);
    const typed = { device_id: bound.body.device_id, number: asked.number };
    expect(await phone('/phones/answer', typed)).toMatchObject({ status: 200, body: { state: 'approved' } });

    const stateOf = async () =>
      (await me('GET', '/api/withdraw')).data.find(({ id }: { id: string }) => id === asked.id).state;
    await until(async () => (await stateOf()) === 'pending', WAIT_MS_MAX);
    await close(await run('multicard', { source: 'withdrawal' }));
    expect(await stateOf()).toBe('paid');

    // A denial frees the money at once.
    const balance = async () => (await me('GET', '/api/user/balance/me')).available;
    const before = await balance();
    const denied = await me('POST', '/api/withdraw', order, { 'Idempotency-Key': randomUUID() });
    expect(await balance()).not.toBe(before);
    const deny = { device_id: bound.body.device_id, decision: 'deny' };
    expect(await phone('/phones/answer', deny)).toMatchObject({ status: 200, body: { state: 'denied' } });
    await until(async () => (await balance()) === before, WAIT_MS_MAX);
    const told = (await me('GET', '/api/withdraw')).data.find(({ id }: { id: string }) => id === denied.id);
    expect(told.state).toBe('cancelled');
  },
  START_MS,
);

/** The sandbox's bank, which pays each order. */
async function statementOf(orders: Buffer): Promise<Buffer> {
  const bank = spawn(process.execPath, [join(root, 'apps/sandbox/pay/bank/main.ts')]);
  bank.stdin.end(orders);
  return buffer(bank.stdout);
}

test(
  'the same by a file for the bank, and its statement',
  async () => {
    const rows = rowsOf(everybody).map((row, i) => [
      ...row,
      `226180001${String(i).padStart(11, '0')}`,
      '00873',
    ]);
    const list = await importList('Bank', rows, 'bank-file');
    await allBound(list, PEOPLE);
    await nextDay();
    maker.sent.length = 0;
    checker.sent.length = 0;
    const batch = await run('bank-file', { list_id: list });
    const file = await until(async () => {
      const answer = await maker.try('GET', `${batch}/file`);
      return answer.status === 200 && Buffer.from(answer.body);
    }, WAIT_MS_MAX);
    const headers = { 'Content-Type': 'application/octet-stream' };
    const told = await maker.send(
      'POST',
      '/finance/statements?rail=bank-file',
      await statementOf(file),
      headers,
    );
    expect(told.body).toMatchObject({
      odd: [],
      stopped: [],
      buckets: [{ bucket: 'early', lines: PEOPLE }],
    });
    await agreeToStatement();
    await close(batch);
    const books = (await maker.send('GET', '/finance/equation')).body;
    expect(books).toMatchObject({ holds: true });
    expect((await maker.send('GET', '/finance/differences?open=true')).body.data).toEqual([]);
  },
  START_MS,
);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startMulticard } from '../../../../apps/sandbox/pay/multicard/start-multicard.ts';
import { Phone } from '../../../../domain/shared/phone.ts';
import { freePort } from '../../../../infra/embedded/port.ts';
import { deadline } from '../../../infra/providers/support.ts';
import { receiver, temporaryDirectory } from '../support.ts';
import { ACCOUNT, freshMulticard, linesOf, orderOf, paidIn, railAt } from './multicard-world.ts';

const clone = join(import.meta.dirname, '../../../..');
const LOG = 'sandbox/multicard.jsonl';
const WALLET = 100_000_000_000;

async function pay(rail: ReturnType<typeof railAt>, reference: string): Promise<string> {
  const draft = await rail.draft(orderOf(reference), deadline());
  if (draft.kind !== 'answered') return draft.kind;
  const reply = await rail.confirm(draft.value.uuid, deadline());
  return reply.kind === 'answered' ? reply.value.status : reply.kind;
}

/** The process as `npm start` starts it, with a database that is away. */
async function ownProcess() {
  const home = await temporaryDirectory();
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'development',
    NAVBAT_ENV_FILE: '',
    NAVBAT_HOME: home,
    DATABASE_URL: `postgres://navbat_app@127.0.0.1:${await freePort()}/none`,
    SANDBOX_MULTICARD_PORT: String(port),
    MULTICARD_APPLICATION_ID: ACCOUNT.applicationId,
    MULTICARD_SECRET: ACCOUNT.secret,
    MULTICARD_STORE_ID: ACCOUNT.storeId,
  };
  const url = `http://127.0.0.1:${port}`;
  const start = async (more: Record<string, string> = {}) => {
    const args = ['apps/sandbox/pay/multicard/main.ts'];
    const child = spawn(process.execPath, args, { cwd: clone, env: { ...env, ...more }, stdio: 'pipe' });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
    const ended = once(child, 'exit');
    onTestFinished(() => void child.kill('SIGKILL'));
    const isUp = () => fetch(`${url}/health`).then(({ ok }) => ok);
    while (child.exitCode === null && !(await isUp().catch(() => false))) await sleep(20);
    return { child, ended, said: () => said };
  };
  return { start, url, logPath: join(home, LOG) };
}

test('whatever was answered before a SIGKILL is in the log, nothing is paid twice, and the rail goes on from there', async () => {
  const { start, url, logPath } = await ownProcess();
  const sure: string[] = [];
  let next = 0;
  for (let life = 0; life < 3; life += 1) {
    const { child, ended } = await start();
    const rail = railAt(url);
    let isOver = false;
    const load = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const reference = `d-${(next += 1)}`;
        if ((await pay(rail, reference)) === 'success') sure.push(reference);
      }
    });
    await sleep(400);
    child.kill('SIGKILL');
    await ended;
    isOver = true;
    await Promise.all(load);
  }
  await start();
  const lines = await linesOf({ logPath });
  const paid = paidIn(lines);
  expect(sure.length).toBeGreaterThan(20);
  const references = paid.map((line) => line.t === 'paid' && line.reference);
  expect(references).toEqual(expect.arrayContaining(sure));
  expect(new Set(references).size).toBe(references.length);
  const total = paid.reduce((sum, line) => sum + (line.t === 'paid' ? line.total : 0), 0);
  const wallet = await railAt(url).wallet(deadline());
  expect(wallet).toMatchObject({ value: { balance: BigInt(WALLET - total) } });
  expect(lines.filter(({ t }) => t === 'start')).toHaveLength(4);
  expect(
    new Set(lines.filter(({ t }) => t === 'begin').map((line) => line.t === 'begin' && line.id)).size,
  ).toBe(lines.filter(({ t }) => t === 'begin').length);
});

test('each request stands in the log with its begin and its end, and one that hung without an answer', async () => {
  const box = await freshMulticard();
  box.orderFaults({ effect: 'hang-after', hang_ms: 0 });
  await pay(railAt(box.url), 'd-1');
  await box.flush();
  const lines = await linesOf(box);
  const begun = lines.flatMap((line) => (line.t === 'begin' ? [[line.id, line.method, line.path]] : []));
  const [, , [, , confirmed] = []] = begun;
  expect(begun).toEqual([
    [1, 'POST', '/auth'],
    [2, 'POST', '/payment/credit'],
    [3, 'PUT', expect.stringMatching(/^\/payment\/credit\/[\w-]{36}$/) as string],
  ]);
  expect(lines.flatMap((line) => (line.t === 'end' ? [[line.id, line.status, line.fault]] : []))).toEqual([
    [1, 200, undefined],
    [2, 200, undefined],
    [3, null, 0],
  ]);
  const order = lines.map((line) => ('id' in line ? `${line.t} ${line.id}` : line.t)).slice(-3);
  expect(order).toEqual(['begin 3', 'paid', 'end 3']);
  expect(paidIn(lines)).toMatchObject([
    { reference: 'd-1', by: 3, uuid: String(confirmed).split('/').at(-1) },
  ]);
});

describe('a restart', () => {
  const reopened = (directory: string) => startMulticard({ port: 0, directory, account: ACCOUNT });

  test('keeps payments, faults with what is left of them, settings, people and cards', async () => {
    const directory = await temporaryDirectory();
    const first = await freshMulticard({ directory });
    const rail = railAt(first.url);
    first.set({ people: true, people_after_ms: 1 });
    const form = await rail.beginBinding(
      { bindingId: 'b-1', phone: Phone.parse('+998901234567'), returnTo: 'https://app.example.uz' },
      deadline(),
    );
    const session = form.kind === 'answered' ? form.value.session : '';
    const bound = () => railAt(first.url).readBinding(session, deadline());
    await expect.poll(bound).toMatchObject({ value: { last4: expect.any(String) as string } });
    await pay(rail, 'd-1');
    first.orderFaults({ effect: 'hang-before', hang_ms: 0, times: 2 });
    expect(await pay(rail, 'd-2')).toBe('unknown');
    const before = { payments: first.payments(), wallet: first.wallet(), bound: await bound() };
    await first.close();

    const second = await reopened(directory);
    onTestFinished(() => second.close());
    const again = railAt(second.url);
    expect(second.payments()).toEqual(before.payments);
    expect(second.wallet()).toBe(before.wallet);
    expect(JSON.stringify(await again.readBinding(session, deadline()))).toBe(JSON.stringify(before.bound));
    expect(await pay(again, 'd-3')).toBe('unknown');
    expect(await pay(again, 'd-4')).toBe('success');
  });

  test('does what was due meanwhile', async () => {
    const directory = await temporaryDirectory();
    const first = await freshMulticard({ directory });
    first.orderFaults(
      { effect: 'progress', after_ms: 200, times: 1 },
      { effect: 'revert', after_ms: 60_000, times: 1 },
    );
    expect(await pay(railAt(first.url), 'd-1')).toBe('progress');
    expect(await pay(railAt(first.url), 'd-2')).toBe('success');
    await first.close();
    await sleep(250);
    const second = await reopened(directory);
    onTestFinished(() => second.close());
    await expect.poll(() => second.payments().map(({ status }) => status)).toEqual(['success', 'success']);
    expect(paidIn(await linesOf(second))).toMatchObject([
      { reference: 'd-2' },
      { reference: 'd-1', by: null },
    ]);
  });

  test('cuts off a line that a kill tore, and writes on behind it', async () => {
    const directory = await temporaryDirectory();
    const first = await freshMulticard({ directory });
    await pay(railAt(first.url), 'd-1');
    await first.close();
    await appendFile(first.logPath, '{"t":"paid","uuid":"torn');
    const second = await reopened(directory);
    onTestFinished(() => second.close());
    await pay(railAt(second.url), 'd-2');
    expect(paidIn(await linesOf(second))).toHaveLength(2);
  });
});

test('a rail that nobody calls writes nothing', async () => {
  const box = await freshMulticard();
  await pay(railAt(box.url), 'd-1');
  await box.flush();
  const size = async () => (await readFile(box.logPath)).length;
  const before = await size();
  expect((await fetch(`${box.url}/health`)).status).toBe(200);
  await sleep(300);
  expect(await size()).toBe(before);
});

test('faults strike one card, a share of the calls, or the first few', async () => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  box.orderFaults({ effect: 'decline', on: 'draft', card: 'sim1' });
  expect(await pay(rail, 'd-1')).toBe('refused');
  box.orderFaults({ effect: 'decline', on: 'draft', card: 'sim2' });
  expect(await pay(rail, 'd-2')).toBe('success');
  box.orderFaults({ effect: 'decline', on: 'draft', times: 2 });
  expect([await pay(rail, 'd-3'), await pay(rail, 'd-4'), await pay(rail, 'd-5')]).toEqual([
    'refused',
    'refused',
    'success',
  ]);
  const drawn = async () => {
    box.set({ seed: 7 });
    box.orderFaults({ effect: 'decline', on: 'draft', rate: 0.5 });
    return Promise.all(
      Array.from({ length: 40 }, async (_, n) => (await rail.draft(orderOf(`r-${n}`), deadline())).kind),
    );
  };
  const refusals = (await drawn()).filter((kind) => kind === 'refused').length;
  expect(refusals).toBeGreaterThan(8);
  expect(refusals).toBeLessThan(32);
  expect((await drawn()).filter((kind) => kind === 'refused')).toHaveLength(refusals);
});

test('what nobody ordered, and what is ordered back', async () => {
  const box = await freshMulticard();
  const post = (path: string, body: object) =>
    fetch(`${box.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  const strange = await post('/control/payments', { reference: 'nobody', amount: 5_000 });
  const { uuid } = (await strange.json()) as { uuid: string };
  expect(box.wallet()).toBe(WALLET - 5_000);
  expect((await post('/control/revert', { uuid })).status).toBe(204);
  await expect.poll(() => box.payments()[0]?.status).toBe('revert');
  expect(box.wallet()).toBe(WALLET);
  expect((await post('/control/revert', { uuid })).status).toBe(404);
});

test('an order that nobody can follow is refused with its place', async () => {
  const box = await freshMulticard();
  const put = async (path: string, body: unknown) => {
    const answer = await fetch(`${box.url}/control/${path}`, { method: 'PUT', body: JSON.stringify(body) });
    return [answer.status, await answer.text()] as const;
  };
  expect(await put('faults', { effect: 'explode' })).toMatchObject([400, expect.stringContaining('effect')]);
  expect(await put('faults', { effect: 'decline', rate: 2 })).toMatchObject([
    400,
    expect.stringContaining('rate'),
  ]);
  expect(await put('settings', { answer_ms: -1 })).toMatchObject([400, expect.stringContaining('answer_ms')]);
  expect(await put('settings', { anser_ms: 1 })).toMatchObject([400, expect.stringContaining('anser_ms')]);
  expect(await put('wallet', {})).toMatchObject([400, expect.any(String)]);
  expect(await put('nothing', {})).toMatchObject([404, expect.any(String)]);
  expect((await put('settings', { answer_ms: 1 }))[0]).toBe(200);
});

test('a webhook that is not taken is repeated five times', async () => {
  const api = await receiver(() => 500);
  const box = await freshMulticard({ webhookUrl: api.url });
  box.set({ wait_divisor: 1_000 });
  await pay(railAt(box.url), 'd-1');
  await expect.poll(() => api.received.length).toBe(6);
  await sleep(50);
  expect(api.received).toHaveLength(6);
  expect((await linesOf(box)).filter((line) => line.t === 'webhook' && line.answer === 500)).toHaveLength(6);
});

test('the number of a card that was typed stays on the form', async () => {
  const box = await freshMulticard();
  const form = await railAt(box.url).beginBinding(
    { bindingId: 'b-1', phone: Phone.parse('+998901234567'), returnTo: 'https://app.example.uz' },
    deadline(),
  );
  const url = form.kind === 'answered' ? form.value.formUrl : '';
  const type = (pan: string) =>
    fetch(url, { method: 'POST', body: new URLSearchParams({ pan }), redirect: 'manual' });
  expect((await type('4000 1234 5678 9010')).status).toBe(422);
  expect((await type('8600 1234 5678 9012')).status).toBe(303);
  const text = await readFile(box.logPath, 'utf8');
  expect(text).toContain('860012******9012');
  expect(text).not.toMatch(/8600.?1234|400012345678/);
});

test.each([
  [{ NODE_ENV: 'production' }, /^NODE_ENV: expected development/],
  [{ MULTICARD_SECRET: '' }, /^MULTICARD_APPLICATION_ID, MULTICARD_SECRET/],
])('the process refuses %j in one sentence', async (env, said) => {
  const { start } = await ownProcess();
  const { ended, said: words } = await start(env);
  expect(await ended).toEqual([1, null]);
  expect(words()).toMatch(said);
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { HeadOutbox } from '../../../domain/pay/ledger/chain.ts';
import { postToWitness } from '../../../infra/pay/witness.ts';
import { headOutbox } from '../../../infra/postgres/pay/ledger/head-outbox.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { openLog } from '../../../infra/process/log.ts';
import type { Tick } from '../../../infra/process/ticks.ts';
import { wirePay } from '../../../workers/pay/wire.ts';
import { openWorkerPlatform } from '../../../workers/wire.ts';
import { freshSandbox } from '../../apps/sandbox/support.ts';
import { type ChainedBook, DAY_MS, openChainedBook } from '../../infra/postgres/pay/chained-book.ts';
import { eventually } from '../../support/eventually.ts';
import { testEnvironment } from '../../support/environment.ts';
import { freshRedis } from '../../support/servers.ts';
import { type Receiver, silence, startReceiver, status } from '../../support/webhook-receiver.ts';

const CHAT = '4242';
const Inbox = z.array(z.object({ text: z.string() }));

let ledger: ChainedBook;
let outbox: HeadOutbox;
beforeEach(async () => {
  ledger = await openChainedBook();
  outbox = headOutbox(ledger.app);
  await ledger.post(5);
  await ledger.moveTo(DAY_MS);
  await ledger.tick();
});
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  await ledger.close();
});

/** The ticks of a worker's process, over the sandbox's bot and a witness of this test's own. */
async function worker(env: Readonly<Record<string, string>>) {
  const variables = testEnvironment({
    DATABASE_URL: ledger.database.url,
    REDIS_URL: await freshRedis(),
    SANDBOX_CLOCK: 'true',
    MONEY_PROJECT: ledger.book,
    ...env,
  });
  const platform = await openWorkerPlatform(variables, readConfig(variables), openLog('test', 'silent'));
  closing.push(platform.close);
  const ticks = (await wirePay({ ...platform, clock: ledger.now }, {}).ticks?.(ledger.app)) ?? {};
  const send: Tick = ticks['send-heads'] ?? (() => Promise.reject(new Error('no such tick')));
  return send;
}

const sentAt = async () =>
  (
    await ledger.owner.query<{ chat: Date | null; witness: Date | null }>(
      'select chat_sent_at as chat, witness_sent_at as witness from ledger_day',
    )
  ).rows;
const inSeconds = (seconds: number) => ledger.moveTo(DAY_MS + seconds * 1_000);

test('a head reaches the chat and the witness, which were both away for two tries', async () => {
  const sandbox = await freshSandbox();
  const fault = { channel: 'telegram', effect: 'server-error', times: 2 };
  await fetch(`${sandbox.url}/faults`, { method: 'PUT', body: JSON.stringify(fault) });
  const witness = await startReceiver();
  witness.answer(status(503));
  const send = await worker({
    TELEGRAM_BOT_TOKEN: '7000000001:AAabcdefghijklmnopqrstuvwxyz0123456',
    TELEGRAM_API_ROOT: sandbox.url,
    TELEGRAM_CHAT_GAP_MS: '0',
    LEDGER_CHAT_ID: CHAT,
    LEDGER_WITNESS_URL: `${witness.url}/heads?token=x`,
  });
  const chat = async () => Inbox.parse(await (await fetch(`${sandbox.url}/inbox.json?to=${CHAT}`)).json());
  await send();
  // Not due: nobody is asked.
  await send();
  expect(witness.received).toHaveLength(1);
  await inSeconds(25);
  await send();
  expect(witness.received).toHaveLength(2);
  expect(await sentAt()).toEqual([{ chat: null, witness: null }]);
  witness.answer(status(204));
  await inSeconds(70);
  await send();
  const jws = await ledger.jwsOf();
  expect(witness.received).toHaveLength(3);
  expect(witness.received[2]).toMatchObject({
    path: '/heads?token=x',
    body: jws,
    headers: { 'content-type': 'application/jose' },
  });
  // On a busy machine the bot's own pace may put a message off, too: an hour later it is due again.
  for (let at = 4_000; (await chat()).length === 0 && at < 40_000; at += 4_000) {
    await inSeconds(at);
    await send();
  }
  expect((await chat()).map(({ text }) => text.split('\n')[1])).toEqual([jws]);
  const [recorded] = await sentAt();
  expect(recorded).toEqual({ chat: expect.any(Date), witness: expect.any(Date) });
  await inSeconds(50_000);
  await send();
  expect(witness.received).toHaveLength(3);
  expect(await chat()).toHaveLength(1);
  expect((await ledger.verify()).differences).toEqual([]);
});

test('a head whose sender was killed before it recorded the success is sent again, equal, and recorded once', async () => {
  const witness = await startReceiver();
  const send = await worker({ LEDGER_WITNESS_URL: witness.url });
  const claimed = await outbox.claim('witness');
  await postToWitness(witness.url)(claimed?.jws ?? '');
  await send();
  expect(witness.received).toHaveLength(1);
  await inSeconds(25);
  await send();
  expect(witness.received.map(({ body }) => body)).toEqual([claimed?.jws, claimed?.jws]);
  const [first] = await sentAt();
  expect(first).toEqual({ chat: null, witness: expect.any(Date) });
  // Who was frozen meanwhile, and records it now, changes nothing.
  await inSeconds(85);
  if (claimed) await outbox.sent('witness', claimed);
  expect(await sentAt()).toEqual([first]);
});

test('of two workers one sends it', async () => {
  const witness = await startReceiver();
  const workers = [
    await worker({ LEDGER_WITNESS_URL: witness.url }),
    await worker({ LEDGER_WITNESS_URL: witness.url }),
  ];
  await Promise.all(workers.map((send) => send()));
  expect(witness.received).toHaveLength(1);
});

test('of two who claim it, one gets it, also where the other looked before and locks after', async () => {
  // Whoever is told to waits between the two, as on a busy machine.
  await ledger.owner.query(`
create function gate() returns boolean language plpgsql as $$ begin
  if current_setting('test.waits', true) = 'yes' then perform pg_advisory_xact_lock_shared(1); end if;
  return true;
end $$;
create policy gated on ledger_day using (gate());
alter table ledger_day enable row level security, force row level security`);
  const [gate, late] = [await ledger.app.connect(), await ledger.app.connect()];
  try {
    await gate.query('select pg_advisory_lock(1)');
    await late.query(`set test.waits = 'yes'`);
    const claiming = late.query(`select from ledger_day_claim('witness')`);
    await eventually(async () => {
      const waits = await gate.query(`select from pg_locks where locktype = 'advisory' and not granted`);
      expect(waits.rowCount).toBe(1);
    });
    expect(await outbox.claim('witness')).not.toBeNull();
    await gate.query('select pg_advisory_unlock(1)');
    expect((await claiming).rowCount).toBe(0);
  } finally {
    gate.release(true);
    late.release(true);
  }
});

test('the pause doubles with each failure, from twenty seconds up to an hour', async () => {
  const pauses: number[] = [];
  for (let tries = 0; tries < 10; tries += 1) {
    await inSeconds(tries * 3_700);
    expect(await outbox.claim('witness')).not.toBeNull();
    const sql = 'select extract(epoch from due_at - navbat_now())::float8 as pause from ledger_day_sending';
    const { rows } = await ledger.owner.query<{ pause: number }>(sql);
    // Some time went by since the claim.
    pauses.push(Math.ceil((rows[0]?.pause ?? 0) / 20) * 20);
    expect(await outbox.claim('witness')).toBeNull();
  }
  expect(pauses).toEqual([20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]);
});

test('of several days the newest goes first, and none that is older than a month', async () => {
  await ledger.moveTo(40 * DAY_MS);
  await ledger.tick();
  await ledger.tick();
  const days: string[] = [];
  for (;;) {
    const head = await outbox.claim('chat');
    if (!head) break;
    days.push(head.day);
  }
  expect(days).toEqual(days.toSorted().toReversed());
  expect(days).toHaveLength(31);
});

test.each<[string, (receiver: Receiver, elsewhere: Receiver) => void]>([
  ['redirects to somebody else', (receiver, { url }) => receiver.answer(status(307, { location: url }))],
  ['answers a refusal', (receiver) => receiver.answer(status(409))],
  ['says nothing within its time', (receiver) => receiver.answer(silence)],
])('a witness that %s has accepted nothing', async (_words, answers) => {
  const [receiver, elsewhere] = [await startReceiver(), await startReceiver()];
  answers(receiver, elsewhere);
  await expect(postToWitness(receiver.url, 300)('a.b.c')).rejects.toThrow(/witness|timeout/);
  expect(receiver.received).toHaveLength(1);
  expect(elsewhere.received).toEqual([]);
});

test('a witness that accepts with a long and broken answer has accepted', async () => {
  const receiver = await startReceiver();
  receiver.answer((_request, res) => {
    res.writeHead(200).write('x'.repeat(100_000));
    setTimeout(() => res.destroy(), 100);
  });
  await expect(postToWitness(receiver.url)('a.b.c')).resolves.toBeUndefined();
});

test('a chat without a bot that posts there is refused at the start', async () => {
  await expect(worker({ LEDGER_CHAT_ID: CHAT })).rejects.toThrow(
    /^LEDGER_CHAT_ID: expected TELEGRAM_BOT_TOKEN too/,
  );
});

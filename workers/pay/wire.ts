import type { Pool } from 'pg';
import type { ChainOfBook } from '../../domain/pay/ledger/chain.ts';
import { payout } from '../../domain/pay/dispatch/job.ts';
import { PLATFORM_PROJECT_ID, PLATFORM_SLUG } from '../../domain/project/platform.ts';
import type { RecipientId } from '../../domain/identity/recipient/recipient.ts';
import type { DayHead } from '../../domain/pay/ledger/head.ts';
import { jobStore } from '../../infra/postgres/job/attempts.ts';
import { batchesDue } from '../../infra/postgres/pay/batch/store.ts';
import { dispatchStore } from '../../infra/postgres/pay/dispatch/store.ts';
import { dispatchRounds, railSaid } from '../../infra/postgres/pay/dispatch/ticks.ts';
import { paySettle } from '../../infra/postgres/pay/settle.ts';
import { broadcastIntake } from '../../infra/postgres/message/broadcast/intake.ts';
import { receipts } from '../../infra/postgres/pay/payout/receipts.ts';
import { payoutsDue } from '../../infra/postgres/pay/payout/store.ts';
import { chain } from '../../infra/postgres/pay/ledger/chain.ts';
import { headOutbox } from '../../infra/postgres/pay/ledger/head-outbox.ts';
import { headSigner } from '../../infra/pay/signed-heads.ts';
import { payerOf } from '../../domain/pay/bank-file/payer.ts';
import { bankFileBytes } from '../../infra/pay/bank-file-bytes.ts';
import { bankFiles } from '../../infra/postgres/pay/bank-file/store.ts';
import { differences } from '../../infra/postgres/pay/reconcile/differences.ts';
import { equationReads } from '../../infra/postgres/pay/reconcile/equation.ts';
import { statements } from '../../infra/postgres/pay/reconcile/statements.ts';
import { moneyBookAtStart, moneyProjectOf, openMoneyBook } from '../../infra/postgres/pay/money-project.ts';
import { postToWitness } from '../../infra/pay/witness.ts';
import { keyedHash, rowEncryption } from '../../infra/process/crypto.ts';
import { multicardFromConfig } from '../../infra/providers/pay/from-config.ts';
import { tellJobs } from '../../infra/process/tell-jobs.ts';
import { ConfigError } from '../../infra/process/config.ts';
import { ledgerClosedAt, ledgerOpenTransfers, railCallsTotal } from '../../infra/process/metrics.ts';
import { outage } from '../../infra/process/outage.ts';
import type { Tick } from '../../infra/process/ticks.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import { type Offers, type WiredWorkers, type Worker, workerPool, type WorkerPlatform } from '../wire.ts';
import { askingRails } from './ask-rails.ts';
import { closeBlocks } from './close-blocks.ts';
import { linkWorker, sendingLinks } from './links/wire.ts';
import { dispatching, housekeeping } from './dispatching.ts';
import { due } from './due.ts';
import { type PayoutDeps, payoutWake } from './payout.ts';
import { places } from './places.ts';
import { writingBankFiles } from './bank-files.ts';
import { headToChat, toChat } from './head-message.ts';
import { reconciling, type ReconcileDeps } from './reconcile.ts';
import { sendReceipts } from './send-receipts.ts';
import { sendHeads, type SendHeadsDeps } from './send-heads.ts';

/** Between two looks whether the book is there: once would do, were a database never restored under a running process. */
const BOOK_MS = 3_600_000;

/** Where no rail is set up, a job looks again so much later. */
const NO_RAIL_MS = 60_000;
/** Calls at the rail at once, of one process. */
const RAIL_CALLS_MAX = 8;

/** Payments go their way; the book is made, its blocks are closed, and the signed head of each day leaves the house. */
export const wirePay = (platform: WorkerPlatform, { sms }: Offers): WiredWorkers => ({
  workers: {
    payout: () => payoutWorker(platform),
    'payout-link': () => linkWorker(platform, sms ?? null),
  },
  ticks: async (pool) => {
    const config = platform.configOf('reconciler');
    await moneyBookAtStart(pool, config);
    return {
      'open-book': async () => {
        await openMoneyBook(pool, config);
        return BOOK_MS;
      },
      'due-payouts': due({
        payouts: payoutsDue(pool),
        batches: batchesDue(pool),
        onStarted: (batches) => platform.log.info({ batches }, 'planned batches run'),
      }),
      'send-receipts': sendingReceipts(platform, pool, config),
      'start-payouts': dispatching(dispatchRounds(pool)),
      'keep-payouts': housekeeping(dispatchRounds(pool), {
        onRejobs: (count) => platform.log.warn({ count }, 'payments had lost their jobs, and have new ones'),
        onDone: (batches) => platform.log.info({ batches }, 'batches are done'),
      }),
      ...bankFileTicks(platform, pool, config),
      ...(await askRailTicks(platform, pool, config)),
      reconcile: await reconcileTick(platform, pool, config),
      'send-links': sendingLinks(platform, pool, config),
      'close-blocks': closingBlocks(platform, pool, config),
      'send-heads': sendingHeads(platform, pool, config),
    };
  },
});

async function payoutWorker({ configOf, clock: now, log }: WorkerPlatform): Promise<Worker> {
  const config = configOf('payout');
  const rail = await multicardFromConfig(config, now);
  if (rail === null) {
    log.warn('MULTICARD_APPLICATION_ID is not set: payments by card wait');
    const wake: Worker['wake'] = () =>
      Promise.resolve({ kind: 'waiting', until: new Date(now().getTime() + NO_RAIL_MS), failed: null });
    return { wake, close: () => Promise.resolve() };
  }
  const pool = workerPool(config);
  const wake = payoutWake({
    rail,
    now,
    dispatches: dispatchStore(pool, rowEncryption(config.ENCRYPTION_KEYS)),
    store: jobStore(pool, now, paySettle),
    places: places(RAIL_CALLS_MAX),
    onFinished: tellJobs(log, payout.kind).onFinished,
    ...tellPayouts(log),
  });
  return { wake, close: () => pool.end() };
}

/** A receipt is read the day after, or at `GET /api/withdraw`. */
const RECEIPT_LIFE_MS = 86_400_000;

/** As messages of Navbat's own project. */
function sendingReceipts(
  { clock: now }: WorkerPlatform,
  pool: Pool,
  { PEPPER, ENCRYPTION_KEYS }: ProcessConfig<'reconciler'>,
): Tick {
  const encryption = rowEncryption(ENCRYPTION_KEYS);
  const messages = broadcastIntake({ pool, hash: keyedHash(PEPPER), encryption, now });
  const orderOf = (dedupeKey: string) => {
    const sendAt = now();
    return {
      caller: { projectId: PLATFORM_PROJECT_ID, slug: PLATFORM_SLUG, mode: 'live' },
      priority: 'normal',
      sendAt,
      expiresAt: new Date(sendAt.getTime() + RECEIPT_LIFE_MS),
      dedupeKey,
      idempotency: null,
      requestId: dedupeKey.replaceAll(':', '-'),
      category: null,
    } as const;
  };
  return sendReceipts({
    receipts: receipts(pool),
    toChats: async (chatIds, text, key) => {
      const targets = chatIds.map((chatId) => ({ by: 'chat', chatId }) as const);
      const content = { text, format: 'plain', silent: false } as const;
      await messages.accept({ ...orderOf(key), kind: 'telegram-message', targets, content });
    },
    toApps: async (recipientIds, notification, key) => {
      const targets = recipientIds.map(
        (recipientId) => ({ by: 'recipient', recipientId: recipientId as RecipientId }) as const,
      );
      const content = { notification, data: { kind: 'receipt' }, ttl_seconds: RECEIPT_LIFE_MS / 1_000 };
      await messages.accept({ ...orderOf(key), kind: 'push', targets, content });
    },
  });
}

/** Counts the calls, and logs what people have to know. No amount and no card stands in a log. */
function tellPayouts(
  log: Pick<WorkerPlatform['log'], 'info' | 'error'>,
): Pick<PayoutDeps, 'onCall' | 'onMoved' | 'onBug'> {
  return {
    onCall: ({ dispatchId, call: { n, what }, heard, latencyMs }) => {
      railCallsTotal.inc({ rail: 'multicard', what, outcome: heard.kind });
      const because =
        heard.kind === 'answered' ? heard.status : heard.kind === 'refused' ? heard.because : undefined;
      log.info(
        { dispatch_id: dispatchId, call: n, what, outcome: heard.kind, because, latency_ms: latencyMs },
        'rail call',
      );
    },
    onMoved: (dispatchId, { to, reason, stopsRail }) => {
      if (stopsRail)
        log.error(
          { dispatch_id: dispatchId, reason: stopsRail },
          'the rail stopped itself; two people open it: see docs/operations.md, Paying',
        );
      if (to === 'stuck')
        log.error(
          { dispatch_id: dispatchId, reason },
          'a payment waits for people; see docs/operations.md, Paying',
        );
    },
    onBug: (err, dispatchId) =>
      log.error({ err, dispatch_id: dispatchId }, 'a rail call failed unexpectedly'),
  };
}

/** Without an account there is nothing to write: batches of such files wait. */
function bankFileTicks(
  { clock: now, log }: WorkerPlatform,
  pool: Pool,
  config: ProcessConfig<'reconciler'>,
): Readonly<Record<string, Tick>> {
  if (config.BANK_FILE_PAYER === undefined) return {};
  const tick = writingBankFiles({
    files: bankFiles(pool, moneyProjectOf(config), rowEncryption(config.ENCRYPTION_KEYS)),
    payer: payerOf(config.BANK_FILE_PAYER),
    now,
    encode: (text) => bankFileBytes(text, 'Windows'),
    onWritten: (batchId, { dispatchId, part, documents, sha256 }) =>
      log.info(
        { batch_id: batchId, dispatch_id: dispatchId, part, documents, sha256 },
        'a file for the bank is written',
      ),
    onFault: (batchId, err) => log.error({ err, batch_id: batchId }, 'a file for the bank was not written'),
  });
  return { 'write-bank-files': tick };
}

/** Without a rail there is nobody to ask. */
async function askRailTicks(
  { clock: now, log }: WorkerPlatform,
  pool: Pool,
  config: ProcessConfig<'reconciler'>,
): Promise<Readonly<Record<string, Tick>>> {
  const rail = await multicardFromConfig(config, now);
  if (rail === null) return {};
  const faults = outage({
    lost: (err, times) => log.warn({ err, times }, 'the rail did not tell of our account; it is asked again'),
    back: (awayMs, times) =>
      log.info({ away_ms: Math.round(awayMs), times }, 'the rail tells of our account again'),
  });
  const said = async (...of: Parameters<ReturnType<typeof railSaid>>) => {
    await railSaid(pool)(...of);
    faults.back(rail.id);
  };
  return { 'ask-rails': askingRails({ rail, said, onFault: (err) => faults.lost(rail.id, err) }) };
}

async function reconcileTick(
  platform: WorkerPlatform,
  pool: Pool,
  config: ProcessConfig<'reconciler'>,
): Promise<Tick> {
  const { clock: now, log } = platform;
  const book = moneyProjectOf(config);
  return reconciling({
    statements: statements({ pool, book, encryption: rowEncryption(config.ENCRYPTION_KEYS) }),
    differences: differences(pool, book),
    equation: equationReads(pool, book),
    rail: await multicardFromConfig(config, now),
    now,
    tell: tellingFinance(platform, config),
    onFault: (what, err) =>
      log.warn(
        { err, what },
        'the books could not be compared with the rail; see docs/operations.md, Reconciling',
      ),
    onFound: (rail, equation) =>
      log.error({ rail, equation }, 'the books and the rail differ; see docs/operations.md, Reconciling'),
    onStopped: (rails) =>
      log.error({ rails }, 'money left twice, or against our word: the rail is stopped; two people open it'),
  });
}

function tellingFinance(
  platform: WorkerPlatform,
  config: ProcessConfig<'reconciler'>,
): ReconcileDeps['tell'] {
  const { LEDGER_CHAT_ID: chatId } = config;
  if (chatId === undefined) return null;
  return async (text) => {
    const bot = await platform.bot(config);
    if (bot) await toChat(bot, chatId)(text);
  };
}

function closingBlocks(
  { clock, log }: WorkerPlatform,
  pool: Pool,
  config: ProcessConfig<'reconciler'>,
): Tick {
  const signer = headSigner(config.JWT_PRIVATE_JWK);
  const faults = outage({
    lost: (err, times) =>
      log.error(
        { err, code: codeOf(err), times },
        'blocks of the ledger were not closed; see docs/operations.md, The ledger',
      ),
    back: (awayMs, times) =>
      log.info({ away_ms: Math.round(awayMs), times }, 'blocks of the ledger are closed again'),
  });
  return closeBlocks({
    chain: chain(pool),
    sign: async (head) => (await signer)(head),
    now: clock,
    show,
    onFault: faults.lost,
    onWorks: faults.back,
    onDay: ({ book, day, n_to, head }: DayHead) =>
      log.info({ book, day, n_to, head }, 'a day of the ledger is signed'),
  });
}

function show({ book, open, closedAt }: ChainOfBook): void {
  ledgerOpenTransfers.set({ book }, open);
  if (closedAt) ledgerClosedAt.set({ book }, closedAt.getTime() / 1_000);
}

/** SQLSTATE, where Postgres said it: NB008 is a transfer that is missing. */
const codeOf = (err: unknown): unknown => (err instanceof Error ? Reflect.get(err, 'code') : undefined);

function sendingHeads(platform: WorkerPlatform, pool: Pool, config: ProcessConfig<'reconciler'>): Tick {
  const { log } = platform;
  const { LEDGER_CHAT_ID: chatId, LEDGER_WITNESS_URL: url } = config;
  if (chatId !== undefined && !config.TELEGRAM_BOT_TOKEN)
    throw new ConfigError('LEDGER_CHAT_ID: expected TELEGRAM_BOT_TOKEN too, whose bot posts there');
  if (chatId === undefined && url === undefined)
    log.warn(
      'the signed heads of the ledger are sent nowhere: set LEDGER_CHAT_ID or LEDGER_WITNESS_URL. Without a copy outside, the owner of the database can rewrite the ledger unnoticed',
    );
  const post = url === undefined ? null : postToWitness(url);
  const sinks: SendHeadsDeps['sinks'] = {
    ...(chatId !== undefined && {
      chat: async (head) => {
        const bot = await platform.bot(config);
        if (bot) await headToChat(bot, chatId)(head);
      },
    }),
    ...(post && { witness: ({ jws }) => post(jws) }),
  };
  return sendHeads({
    outbox: headOutbox(pool),
    sinks,
    onSent: (sink, { book, day }) =>
      log.info({ sink, book, day }, 'a signed head of the ledger was accepted'),
    onFault: (sink, { book, day }, err) =>
      log.warn({ err, sink, book, day }, 'a signed head of the ledger was not accepted; it is sent again'),
  });
}

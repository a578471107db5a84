import type { Pool } from 'pg';
import type { ChainOfBook } from '../../domain/pay/ledger/chain.ts';
import type { DayHead } from '../../domain/pay/ledger/head.ts';
import { chain } from '../../infra/postgres/pay/ledger/chain.ts';
import { headOutbox } from '../../infra/postgres/pay/ledger/head-outbox.ts';
import { headSigner } from '../../infra/pay/signed-heads.ts';
import { moneyBookAtStart, openMoneyBook } from '../../infra/postgres/pay/money-project.ts';
import { postToWitness } from '../../infra/pay/witness.ts';
import { ConfigError } from '../../infra/process/config.ts';
import { ledgerClosedAt, ledgerOpenTransfers } from '../../infra/process/metrics.ts';
import { outage } from '../../infra/process/outage.ts';
import type { Tick } from '../../infra/process/ticks.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import type { WiredWorkers, WorkerPlatform } from '../wire.ts';
import { closeBlocks } from './close-blocks.ts';
import { headToChat } from './head-message.ts';
import { sendHeads, type SendHeadsDeps } from './send-heads.ts';

/** Between two looks whether the book is there: once would do, were a database never restored under a running process. */
const BOOK_MS = 3_600_000;

/** The book is made; its blocks are closed, and the signed head of each day leaves the house. */
export const wirePay = (platform: WorkerPlatform): WiredWorkers => ({
  ticks: async (pool) => {
    const config = platform.configOf('reconciler');
    await moneyBookAtStart(pool, config);
    return {
      'open-book': async () => {
        await openMoneyBook(pool, config);
        return BOOK_MS;
      },
      'close-blocks': closingBlocks(platform, pool, config),
      'send-heads': sendingHeads(platform, pool, config),
    };
  },
});

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

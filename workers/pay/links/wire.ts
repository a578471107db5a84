import type { Pool } from 'pg';
import { payoutLink } from '../../../domain/pay/link/job.ts';
import { payoutLinkUrl } from '../../../domain/pay/link/url.ts';
import { jobStore } from '../../../infra/postgres/job/attempts.ts';
import { linkJobs } from '../../../infra/postgres/pay/list/link-jobs.ts';
import { takeLinkSms } from '../../../infra/postgres/pay/list/link-sms.ts';
import { linkOutbox } from '../../../infra/postgres/pay/list/links.ts';
import { linkSettle } from '../../../infra/postgres/pay/settle.ts';
import { telegramChats } from '../../../infra/postgres/telegram/chats.ts';
import { newLinkToken } from '../../../infra/pay/link-token.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { tellJobs } from '../../../infra/process/tell-jobs.ts';
import type { Tick } from '../../../infra/process/ticks.ts';
import type { ProcessConfig } from '../../../infra/process/variables.ts';
import { singleWake } from '../../engine/single.ts';
import { missing, type OpenSms, whole, type Worker, workerPool, type WorkerPlatform } from '../../wire.ts';
import { sendLinks } from '../send-links.ts';
import { byBot, bySms, linkWork, type LinkWork } from './deliver.ts';

/** Makes links, each with the job that sends it. */
export const sendingLinks = (
  { clock: now, log }: WorkerPlatform,
  pool: Pool,
  { PEPPER, ENCRYPTION_KEYS }: ProcessConfig<'reconciler'>,
): Tick =>
  sendLinks({
    outbox: linkOutbox({ pool, hash: keyedHash(PEPPER), encryption: rowEncryption(ENCRYPTION_KEYS) }),
    newToken: newLinkToken,
    now,
    onFault: (err, payoutId) =>
      log.warn({ err, payout_id: payoutId }, 'a payout link was not made; it is tried again'),
  });

/**
 * Sends links: by the bot, or by SMS where a product sends them. Without one, and without a chat, a payee is reached by nobody, and their link says
 * so.
 */
export async function linkWorker(platform: WorkerPlatform, openSms: OpenSms | null): Promise<Worker> {
  const { clock: now, log } = platform;
  const config = platform.configOf(payoutLink.kind);
  const pool = workerPool(config);
  const bot = await platform.bot(config);
  const sms = (await openSms?.(platform, config, pool)) ?? null;
  if (!sms) log.warn('nobody sends SMS: payees without a chat with the bot are sent no link');
  const urlOf = (token: string) => payoutLinkUrl(config.PUBLIC_URL, token);
  const chats = telegramChats(pool);
  const closeChat = (chatId: string, reason: string, sentAt: Date) =>
    chats.close(chatId, reason, sentAt, now());
  const ways = [
    ...(bot ? [byBot(bot, closeChat, now)] : []),
    ...[...(sms?.providers.values() ?? [])].map((provider) => bySms(provider, takeLinkSms(pool))),
  ];
  const guarded = new Map(ways.map((way) => [way.provider, whole(payoutLink.kind, way, now)]));
  const none = whole(payoutLink.kind, missing<LinkWork>('sms'), now);
  const wake = singleWake<LinkWork>({
    definition: payoutLink,
    now,
    random: Math.random,
    read: linkJobs(pool, rowEncryption(config.ENCRYPTION_KEYS), linkWork({ bot, sms, urlOf, now })),
    store: jobStore(pool, now, linkSettle),
    providerOf: ({ provider }) => guarded.get(provider) ?? none,
    ...tellJobs(log, payoutLink.kind),
  });
  return { wake, close: () => pool.end() };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { type SandboxOptions, startSandbox } from '../../../apps/sandbox/start-sandbox.ts';
import type { Wake } from '../../../domain/job/wake.ts';
import { type Product, products } from '../../../domain/products.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import { linkOutbox, payoutLinks } from '../../../infra/postgres/pay/list/links.ts';
import { newLinkToken } from '../../../infra/pay/link-token.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { openLog } from '../../../infra/process/log.ts';
import { wireModules } from '../../../workers/modules.ts';
import { sendLinks, type SendLinksDeps } from '../../../workers/pay/send-links.ts';
import { openWorkerPlatform } from '../../../workers/wire.ts';
import { BOT_TOKEN } from '../../apps/sandbox/support.ts';
import { GROSS, openListing } from '../../infra/postgres/pay/list/listing.ts';
import { testEnvironment } from '../../support/environment.ts';
import { freshRedis } from '../../support/servers.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const PUBLIC_URL = 'https://pay.navbat.example';
const ESKIZ = { email: 'sms@navbat.example', password: 'a-password-of-the-sandbox' };

/** More wake-ups than any link needs. */
const ROUNDS_MAX = 60;

/**
 * Payees who wait for a link, the tick that makes it, and the worker that sends it, through the sandbox's bot and its Eskiz over real sockets. Clocks
 * move by hand.
 */
export async function openLinkWorld(options: Partial<SandboxOptions> = {}) {
  const pay = await openListing();
  const directory = await mkdtemp(joinPath(tmpdir(), 'links-'));
  const sandbox = await startSandbox({
    port: 0,
    directory,
    credentials: { telegramBotToken: BOT_TOKEN, eskiz: ESKIZ },
    ...options,
  });
  const clock = { aheadMs: 0 };
  const now = () => new Date(Date.now() + clock.aheadMs);
  const forward = async (ms: number) => {
    clock.aheadMs += ms;
    await pay.moveClock(clock.aheadMs);
  };
  const lines: string[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  const redisUrl = await freshRedis();

  /** A worker of the kind in a process with these products, or with all. */
  const worker = async (...some: Product[]): Promise<Wake> => {
    const variables = testEnvironment({
      DATABASE_URL: pay.url,
      REDIS_URL: redisUrl,
      SANDBOX_CLOCK: 'true',
      PUBLIC_URL,
      ENCRYPTION_KEYS: `k1:${pay.ring.keys.get('k1')?.toString('base64url')}`,
      TELEGRAM_BOT_TOKEN: BOT_TOKEN,
      TELEGRAM_API_ROOT: sandbox.url,
      ESKIZ_EMAIL: ESKIZ.email,
      ESKIZ_PASSWORD: ESKIZ.password,
      ESKIZ_FROM: '4546',
      ESKIZ_API_URL: `${sandbox.url}/eskiz`,
    });
    const log = openLog('test', 'debug', { write: (line: string) => void lines.push(line) });
    const platform = await openWorkerPlatform(variables, readConfig(variables), log);
    const wired = wireModules({ ...platform, clock: now }, new Set(some.length === 0 ? products : some));
    const open = wired.flatMap(({ workers }) => workers?.['payout-link'] ?? [])[0];
    const { wake, close } = (await open?.()) ?? { wake: null, close: null };
    if (!wake) throw new Error('no worker of payout-link');
    closing.push(close, platform.close);
    return wake;
  };

  const outbox = linkOutbox({ pool: pay.pool, hash: pay.hash, encryption: pay.rowEncryption });
  const tick = (more: Partial<SendLinksDeps> = {}) =>
    sendLinks({
      outbox,
      newToken: newLinkToken,
      now,
      onFault: (error) => {
        throw error;
      },
      ...more,
    });

  const openJobs = async () =>
    (
      await pay.pool.query<{ id: JobId }>(
        `select id from job where kind = 'payout-link' and finished_at is null order by id`,
      )
    ).rows.map(({ id }) => id);
  /** All that waits, until none does: what sleeps is waited for, by moving the clocks. */
  const drain = async (wake: Wake, signal = new AbortController().signal) => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const ids = await openJobs();
      if (ids.length === 0) return;
      const woken = await Promise.all(ids.map((id) => wake(id, signal)));
      const until = woken.flatMap((each) => (each.kind === 'waiting' ? [each.until.getTime()] : []));
      if (until.length > 0) await forward(Math.max(0, Math.min(...until) - now().getTime()));
    }
    throw new Error('jobs of links do not end');
  };

  let chats = 7_000_000;
  /** Shares their contact with the bot: phone and chat are proven. */
  const join = async (phone: string, at = now()): Promise<string> => {
    const chat = String((chats += 1));
    const known = await pay.pool.query<{ id: string }>(
      'select person_id id from person_phone where phone = $1',
      [phone],
    );
    const person = known.rows[0]?.id ?? (await pay.personOf(phone));
    await pay.pool.query('update person_phone set proven_at = $2 where phone = $1', [phone, at]);
    await pay.pool.query(
      `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, $3)`,
      [chat, person, at],
    );
    return chat;
  };
  /** A list with one payee, who has a chat with the bot or not. */
  const payee = async ({ hasChat = false } = {}) => {
    const by = await pay.funder(GROSS);
    const of = pay.lines(1);
    const phone = of[0]?.phone ?? '';
    const chat = hasChat ? await join(phone) : null;
    const done = await pay.lists.import(pay.order(by.id, of));
    if (!done.ok) throw new Error(done.refusal.kind);
    const read = async () => (await pay.lists.payouts(done.id, 0, 1)).rows[0];
    const id = (await read())?.id ?? '';
    return { chat, phone, read, id, list: done.id };
  };
  /** Links in what was sent to a phone or a chat, the oldest first. */
  const linksTo = (to: string) =>
    sandbox.inbox({ to }).flatMap(({ text }) => /payout-links\/([\w-]{43})$/.exec(text)?.[1] ?? []);
  const stateOf = async (token: string) =>
    (await payoutLinks(pay.pool, pay.destinations).find(token, now()))?.state;
  const attempts = async (payout: string) =>
    (
      await pay.pool.query<{ channel: string; provider: string; outcome: string; reason: string | null }>(
        `select a.channel, a.provider, a.outcome, a.reason from payout_link l join attempt a on a.job_id = l.job_id
         where l.payout_id = $1 order by a.opened_at, a.n`,
        [payout],
      )
    ).rows;
  const close = async () => {
    for (const each of closing) await each();
    await sandbox.close();
    await rm(directory, { recursive: true, force: true });
    await pay.close();
  };
  /** What an earlier test left waits for nobody. */
  const clear = async () => {
    await pay.owner.query(
      `select payout_cancel_now(id, 'asked', 'staff:x') from payout where state = 'awaiting-card'`,
    );
    sandbox.clearInbox();
    sandbox.clearFaults();
  };
  return {
    ...pay,
    sandbox,
    now,
    forward,
    lines,
    redisUrl,
    worker,
    outbox,
    tick,
    openJobs,
    drain,
    join,
    payee,
    linksTo,
    stateOf,
    attempts,
    clear,
    close,
  };
}

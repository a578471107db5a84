import type { Pool } from 'pg';
import type { CodeChannel } from '../../domain/verify/port.ts';
import { SmsProvider } from '../../domain/verify/sms-provider.ts';
import type { TelegramSender } from '../../domain/telegram/port.ts';
import { identityCodeTexts } from '../../domain/identity/code-texts.ts';
import type { JobId } from '../../domain/shared/ids.ts';
import { type CallbackName, callbackPath } from '../../domain/verify/callback.ts';
import { legOf } from '../../domain/verify/step.ts';
import type { SmsRouting } from '../../domain/verify/sms-routes.ts';
import { otpSend } from '../../domain/verify/job.ts';
import { ownApp } from '../../infra/postgres/verify/own-app.ts';
import { jobStore } from '../../infra/postgres/job/attempts.ts';
import { telegramChats } from '../../infra/postgres/telegram/chats.ts';
import { projectCache } from '../../infra/postgres/project/cache.ts';
import { otpJobs } from '../../infra/postgres/verify/otp-jobs.ts';
import { type HalfSpent, paidAttempts } from '../../infra/postgres/verify/paid-attempts.ts';
import { templateLists, textModeration } from '../../infra/postgres/verify/text-moderation.ts';
import { countTrials, smsScores } from '../../infra/postgres/verify/sms-scores.ts';
import { otpSettle } from '../../infra/postgres/verify/settle.ts';
import { providerBalances } from '../../infra/postgres/verify/provider-balances.ts';
import { smsBalance, smsTemplatesUnread } from '../../infra/process/metrics.ts';
import { every, type Tick } from '../../infra/process/ticks.ts';
import { rowEncryption } from '../../infra/process/crypto.ts';
import { tellJobs } from '../../infra/process/tell-jobs.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import { guard } from '../../infra/providers/provider-guard.ts';
import { channelsFromConfig, configuredChannels } from '../../infra/providers/verify/channels.ts';
import { smsRoutingOf } from '../../infra/providers/verify/sms-routing.ts';
import { codeOf } from '../../infra/verify/codes.ts';
import { type WiredWorkers, type Worker, workerPool, type WorkerPlatform } from '../wire.ts';
import { askBalances, BALANCE_MS } from './balances.ts';
import { otpSendWake } from './otp-send.ts';
import { openSms } from './sms/wire.ts';
import { smsScoreTick } from './sms-score-tick.ts';
import { templateTick } from './template-lists.ts';

/** A quarter of the places for each provider: one that hangs leaves three quarters free. */
const PROVIDER_SHARE = 0.25;

export const wireVerify = (platform: WorkerPlatform): WiredWorkers => ({
  workers: { 'otp-send': () => otpSendWorker(platform) },
  offers: { sms: openSms },
});

async function otpSendWorker(platform: WorkerPlatform): Promise<Worker> {
  const { log, clock: now } = platform;
  const config = platform.configOf('otp-send');
  const pool = workerPool(config);
  const share = { inFlightMax: Math.floor(otpSend.concurrency * PROVIDER_SHARE), clock: now };
  const found = await codeChannels(config, await platform.bot(config));
  const sms = smsRoutingOf(config);
  const wake = otpSendWake({
    jobs: otpJobs(pool, rowEncryption(config.ENCRYPTION_KEYS)),
    store: jobStore(pool, now, otpSettle),
    paid: paidAttempts(pool, now, tellHalfSpent(platform)),
    chats: telegramChats(pool),
    legs: new Map(found.map((channel) => [legOf(channel), guard(channel, share)])),
    sms,
    smsScores: config.SMS_ROUTE_BY_MEASURE ? smsScores(pool, now) : null,
    moderation: textModeration(pool, now, tellMisread(platform)),
    ownApp: configuredChannels(config).has('push') ? guard(ownApp(pool, now), share) : null,
    project: projectCache(pool),
    purposeTexts: identityCodeTexts,
    codeOf: codeOf(config.CODE_KEYS),
    now,
    random: Math.random,
    ...tellJobs(log, 'otp-send'),
  });
  const stops = [
    every(log, 'balances', askingBalances(found, pool, platform, config)),
    every(log, 'sms scores', countingTrials(pool, sms, now)),
    ...readingTemplates(found, pool, platform),
  ];
  const close = async () => {
    await Promise.all(stops.map((stop) => stop()));
    await pool.end();
  };
  return { wake, close };
}

const tellHalfSpent =
  ({ log }: WorkerPlatform) =>
  ({ projectId, spend, budget }: HalfSpent): void =>
    log.warn(
      {
        project_id: projectId,
        spent_micros: spend.spentMicros,
        publishable_spent_micros: spend.strangerMicros,
        budget_micros: budget.budgetMicros,
      },
      "half of the project's daily budget for paid messages is spent",
    );

function codeChannels(
  config: ProcessConfig<'otp-send'>,
  bot: TelegramSender | null,
): Promise<readonly CodeChannel[]> {
  const url = (name: CallbackName) => (jobId: JobId, attempt: number) =>
    config.PUBLIC_URL + callbackPath(name, jobId, attempt);
  const urls = {
    eskiz: url('eskiz'),
    twilio: url('twilio'),
    'telegram-gateway': url('telegram-gateway'),
  };
  return channelsFromConfig(config, urls, bot);
}

const tellMisread =
  ({ log }: WorkerPlatform) =>
  (provider: string): void =>
    log.warn(
      { provider },
      'a provider took a text although its list of approved texts says no: we read the list wrongly',
    );

const readingTemplates = (found: readonly CodeChannel[], pool: Pool, { log, clock }: WorkerPlatform) =>
  found.flatMap(({ templates: reader }) =>
    reader
      ? every(
          log,
          `templates of ${reader.provider}`,
          templateTick(templateLists(pool, clock), reader, (provider, unread) => {
            smsTemplatesUnread.inc({ provider }, unread);
            log.warn({ provider, unread }, 'entries of a list of approved texts were not understood');
          }),
        )
      : [],
  );

const MICROS = 1_000_000;

/** Also where measuring is off: trials that were made before are counted. */
function countingTrials(pool: Pool, { routes }: SmsRouting, now: () => Date): Tick {
  const operators = routes.map(({ prefix }) => prefix);
  return smsScoreTick(() => countTrials(pool, operators, now()));
}

/** What the accounts hold that SMS are paid from. */
function askingBalances(
  found: readonly CodeChannel[],
  pool: Pool,
  { clock, log }: WorkerPlatform,
  { SMS_BALANCE_LOW_UZS: lowBelow }: ProcessConfig<'otp-send'>,
): Tick {
  const accounts = new Map(
    found.flatMap(({ provider, balance }) => {
      const name = SmsProvider.safeParse(provider).data;
      return name && balance ? [[name, balance] as const] : [];
    }),
  );
  const balances = providerBalances(pool, clock, BigInt(lowBelow) * BigInt(MICROS));
  const show = (provider: SmsProvider, micros: bigint | null) =>
    micros === null ? smsBalance.remove({ provider }) : smsBalance.set({ provider }, Number(micros) / MICROS);
  // Not by the tick's own pause of a second: while Postgres is away, providers would be asked each time.
  const onError = (err: unknown) => {
    log.warn({ err }, 'balances were not kept; they are asked for again in five minutes');
    return BALANCE_MS;
  };
  return () => askBalances({ accounts, balances, show }).catch(onError);
}

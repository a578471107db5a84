import type { Router } from 'express';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import packageJson from '../../package.json' with { type: 'json' };
import { jobs } from '../../domain/jobs.ts';
import { binder, type BinderDeps } from '../../domain/identity/device/binding.ts';
import type { RowGuard } from '../../domain/project/port.ts';
import type { FailureGate } from '../../domain/verify/failed-attempt-limiter.ts';
import { PLATFORM_PROJECT_ID } from '../../domain/project/platform.ts';
import type { QuotaCounter } from '../../domain/project/quota.ts';
import type { Recipients } from '../../domain/identity/recipient/port.ts';
import { RecipientId } from '../../domain/identity/recipient/recipient.ts';
import { registrar, type RegistrarDeps } from '../../domain/identity/registration/registrar.ts';
import { approvalSignatureHolds } from '../../infra/identity/device/approval-signature.ts';
import { accessTokens, sessionTokens } from '../../infra/identity/access-tokens.ts';
import { codeOf, numberOf } from '../../infra/verify/codes.ts';
import { readConfig } from '../../infra/process/config.ts';
import { environment } from '../../infra/process/environment.ts';
import { type ProcessConfig, processVariables } from '../../infra/process/variables.ts';
import { keyedHash, sameText, sealer } from '../../infra/process/crypto.ts';
import { isDeviceProof } from '../../infra/identity/device/proof.ts';
import { publicKeyFault } from '../../infra/identity/device/signature.ts';
import { failureGate } from '../../infra/limits/failed-attempt-limiter.ts';
import { limitConnection, quotaCounter } from '../../infra/limits/quota-counter.ts';
import { readiness } from '../../infra/process/readiness.ts';
import { type Logger, openLog } from '../../infra/process/log.ts';
import { exposeDepth, httpLimited, httpSeconds, metrics } from '../../infra/process/metrics.ts';
import { challenges } from '../../infra/postgres/identity/approval/challenges.ts';
import { depthReader } from '../../infra/postgres/job/depth.ts';
import { deliveries } from '../../infra/postgres/verify/deliveries.ts';
import { destinations } from '../../infra/postgres/verify/destinations.ts';
import { devices } from '../../infra/postgres/identity/device/devices.ts';
import { enrolmentPayers } from '../../infra/postgres/identity/device/enrolment-payers.ts';
import { enrolments } from '../../infra/postgres/identity/device/enrolments.ts';
import { hotPool } from '../../infra/postgres/engine/hot-pool.ts';
import { jobReader } from '../../infra/postgres/job/queries.ts';
import { keyDirectory } from '../../infra/postgres/project/key-directory.ts';
import { liveStates } from '../../infra/postgres/verify/live-states.ts';
import { openOrm } from '../../infra/postgres/engine/orm.ts';
import { broadcastIntake } from '../../infra/postgres/message/broadcast/intake.ts';
import { broadcasts } from '../../infra/postgres/message/broadcast/broadcasts.ts';
import { otpChecks } from '../../infra/postgres/verify/checks.ts';
import { otpIntake } from '../../infra/postgres/verify/intake.ts';
import { persons } from '../../infra/postgres/identity/person/persons.ts';
import { phoneUsers } from '../../infra/postgres/identity/person/phone-users.ts';
import { projectCache } from '../../infra/postgres/project/cache.ts';
import {
  boundedBroadcastIntake,
  boundedOtpIntake,
  boundedWebhooks,
  rowGuard,
} from '../../infra/postgres/project/rows.ts';
import { projectStore } from '../../infra/postgres/project/projects.ts';
import { recipientStore } from '../../infra/postgres/identity/recipient/recipients.ts';
import { registrations } from '../../infra/postgres/identity/registration/registrations.ts';
import { sessions } from '../../infra/postgres/identity/session/sessions.ts';
import { signInProofs } from '../../infra/postgres/identity/session/sign-in-proofs.ts';
import { usageReader } from '../../infra/postgres/project/usage.ts';
import { usedLogins } from '../../infra/postgres/identity/registration/used-logins.ts';
import { verifications } from '../../infra/postgres/verify/verifications.ts';
import { webhookStore } from '../../infra/postgres/webhook/webhooks.ts';
import { callbackReadersFromConfig, configuredChannels } from '../../infra/providers/verify/channels.ts';
import { phoneCodes } from '../../domain/verify/phone-codes.ts';
import { queueOutbox } from '../../infra/queue/outbox.ts';
import { closeQueues, openQueues, producerRedis, type Queues } from '../../infra/queue/queues.ts';
import { wakeTicket } from '../../infra/queue/entries.ts';
import { personTokens, publicKeys } from '../../infra/identity/person-tokens.ts';
import { qrPng, qrSvg } from '../../infra/identity/device/qr.ts';
import { proofTokens } from '../../infra/verify/proof-token.ts';
import { runProcess } from '../../infra/process/run.ts';
import { urlFault } from '../../infra/webhook/url-fault.ts';
import { telegramLogin } from '../../infra/identity/telegram-login.ts';
import { createHttpServer, drain, listen } from '../http/server.ts';
import { createApp } from '../http/app.ts';
import { followers } from './verify/event-stream-subscribers.ts';
import { openApiDocument } from '../http/openapi.ts';
import type { Route } from '../http/route.ts';
import { closedChats } from '../../infra/postgres/message/telegram/closed-chats.ts';
import { type ApiPorts, apiRoutes, type DeviceDeps } from './routes.ts';
import type { AuthDeps } from './identity/auth.routes.ts';
import { type CallbackDeps, callbackRouter } from './verify/callbacks.routes.ts';
import type { PhoneOtpDeps } from './verify/phone-otp.routes.ts';
import type { WebhookRouteDeps } from './webhook/webhooks.routes.ts';
import { docsRouter } from '../http/docs.routes.ts';
import { healthRouter } from '../http/health.routes.ts';
import type { RegistrationDeps } from './identity/registration.routes.ts';

type Config = ProcessConfig<'api'>;

/** Keys, usage and depth: short reads, beside the intake's own pool. */
const READ_CONNECTIONS_MAX = 4;
/** Two batches of the intake at once, and checks beside them. */
const HOT_CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** Requests in flight wait for one commit each; what needs longer would be killed with the process. */
const DRAIN_LIMIT_MS = 10_000;

await runProcess(async () => {
  const config = readConfig(environment(), processVariables.api);
  const log = openLog('api', config.LOG_LEVEL);
  const servers = await connect(config, log);
  const { app, close, endStreams } = await wire(config, log, servers);
  const server = createHttpServer(app, { proxies: config.TRUST_PROXY });
  await listen(server, config.BIND_HOST, config.API_PORT, 'API_PORT');
  log.info({ host: config.BIND_HOST, port: config.API_PORT }, 'api ready');

  return async () => {
    // They would go on for as long as a code lives.
    endStreams();
    await drain(server, DRAIN_LIMIT_MS);
    await close();
    servers.redis.disconnect();
    await servers.pool.end();
    await servers.orm.close(true);
    log.info('api stopped');
  };
});

type Servers = Awaited<ReturnType<typeof connect>>;

async function connect(config: Config, log: Logger) {
  const orm = await openOrm(config.DATABASE_URL);
  const pool = new Pool({
    connectionString: config.DATABASE_URL,
    max: READ_CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  const redis = new Redis(config.REDIS_URL, limitConnection);
  // Without a listener, a connection that breaks would end the process; each use sees its own failure.
  for (const connection of [pool, redis])
    connection.on('error', (err: Error) => log.debug({ err }, 'connection lost'));
  // The pool listens to its idle connections alone.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return { orm, pool, redis };
}

/** What needs no key and belongs to no project. */
function openRouters(pool: Pool, redis: Redis, routes: readonly Route[]): Router[] {
  exposeDepth(depthReader(pool));
  const health = healthRouter({
    readiness: () => readiness(pool, redis),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
  });
  return [health, docsRouter(openApiDocument(routes, packageJson.version))];
}

async function wire(config: Config, log: Logger, servers: Servers) {
  const { pool, redis } = servers;
  const keys = keyDirectory(pool, keyedHash(config.PEPPER), (err) =>
    log.warn({ err }, 'uses of keys were not written'),
  );
  const counter = quotaCounter(redis);
  const failures = failureGate(redis);
  const guard = rowGuard(pool);
  const otp = await wireOtp(config, log, { guard, counter });
  const people = await wirePeople(config, pool);
  const tokenKeys = publicKeys(config);
  const approvals = { challenges: otp.challenges, now: () => new Date() };
  const otpEvents = wireEvents(pool, log);
  const routes = apiRoutes({
    ...wirePorts(config, servers, { otp, people, guard, failures }),
    tokenKeys,
    approvals,
    otpEvents,
  });
  const app = createApp({
    keys,
    persons: await personTokens(tokenKeys, pool),
    counter,
    log,
    proxies: config.TRUST_PROXY,
    observe: ({ method, route, status, seconds }) => httpSeconds.observe({ method, route, status }, seconds),
    countLimited: (limited) => httpLimited.inc(limited),
    routes,
    routers: [...openRouters(pool, redis, routes), otp.callbacks],
  });
  const close = async () => {
    counter.close();
    failures.close();
    await keys.close();
    await otp.close();
  };
  return { app, close, endStreams: () => otpEvents.followers.close() };
}

interface Wired {
  readonly otp: Otp;
  readonly people: People;
  readonly guard: RowGuard;
  readonly failures: FailureGate;
}

function wirePorts(
  config: Config,
  { orm, pool }: Servers,
  { otp, people, guard, failures }: Wired,
): Omit<ApiPorts, 'tokenKeys' | 'approvals' | 'otpEvents'> {
  const hash = keyedHash(config.PEPPER);
  const recipients = recipientStore(orm.em, { keyedHash: hash, sealer: sealer(config.SEAL_KEYS) });
  const webhooks = wireWebhooks(config, orm, pool, guard);
  const phoneOf = phoneOfRecipient(recipients);
  const ownCodes = phoneCodes({ ...otp.ports, failures });
  const codes = { ...otp.ports, failures, urlFault: webhooks.urlFault, phoneOf };
  return {
    projects: projectStore(orm.em, hash),
    usage: usageReader(pool),
    recipients,
    jobs: jobReader(orm.em, hash),
    messages: otp.messages,
    chats: closedChats(pool),
    webhooks,
    registration: wireRegistration(config, pool, { ...otp.ports, codes: ownCodes }),
    otp: codes,
    auth: wireAuth(config, pool, people, codes),
    devices: wireDevices(config, pool, { ...people, codes: ownCodes, recipients }),
  };
}

/** Who waits for a verification to change. */
function wireEvents(pool: Pool, log: Logger): ApiPorts['otpEvents'] {
  const now = () => new Date();
  const states = liveStates(pool);
  const onError = (err: unknown) => log.warn({ err }, 'states were not read; the next look tries again');
  return { states, followers: followers({ states, now, onError }), now };
}

type People = Awaited<ReturnType<typeof wirePeople>>;

/** People over all projects, and their sessions. */
async function wirePeople(config: Config, pool: Pool) {
  const hash = keyedHash(config.PEPPER);
  return {
    persons: persons(pool, hash),
    sessions: sessions({ pool, hash, tokens: await sessionTokens(config.JWT_PRIVATE_JWK) }),
  };
}

/** How people sign in. */
function wireAuth(
  { PEPPER, TELEGRAM_BOT_TOKEN: token }: Config,
  pool: Pool,
  people: People,
  otp: AuthDeps['otp'],
): AuthDeps {
  return {
    ...people,
    otp,
    proofs: signInProofs(pool, keyedHash(PEPPER)),
    login: token === undefined ? null : telegramLogin(token),
    usedLogins: usedLogins(pool),
    now: () => new Date(),
  };
}

type DeviceWorld = Pick<BinderDeps, 'persons' | 'sessions' | 'codes'> & Pick<ApiPorts, 'recipients'>;

/** Devices, whose codes are sent in the name of Navbat's own project. */
function wireDevices(
  { PEPPER, SEAL_KEYS }: Config,
  pool: Pool,
  { recipients, ...world }: DeviceWorld,
): DeviceDeps {
  const store = devices({ pool, hash: keyedHash(PEPPER), seal: sealer(SEAL_KEYS) });
  const project = projectCache(pool);
  return {
    devices: store,
    binder: binder({
      ...world,
      devices: store,
      payers: enrolmentPayers(pool),
      platform: async () => ({ projectId: PLATFORM_PROJECT_ID, ...(await project(PLATFORM_PROJECT_ID)) }),
      isSigned: isDeviceProof,
      sameText,
      now: () => new Date(),
    }),
    enrolments: enrolments(pool),
    destinations: destinations(pool),
    now: () => new Date(),
    recipients,
    publicKeyFault,
    sameText,
    qr: { svg: qrSvg, png: qrPng },
  };
}

function wireWebhooks(config: Config, { em }: Servers['orm'], pool: Pool, guard: RowGuard): WebhookRouteDeps {
  return {
    webhooks: boundedWebhooks(webhookStore(em, pool, sealer(config.SEAL_KEYS)), guard),
    urlFault: urlFault({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE }),
  };
}

function phoneOfRecipient(recipients: Recipients): PhoneOtpDeps['phoneOf'] {
  return async (projectId, id) => {
    const recipient = await recipients.find(projectId, RecipientId.parse(id));
    return recipient ? recipient.phone : undefined;
  };
}

/** S4's people, over the same codes; the bot wires the same beside its updates. */
function wireRegistration(
  { PEPPER, TELEGRAM_BOT_TOKEN: token }: Config,
  pool: Pool,
  { codes, checkTokens }: Pick<RegistrarDeps, 'codes'> & Pick<RegistrationDeps, 'checkTokens'>,
): RegistrationDeps {
  const now = () => new Date();
  return {
    registrar: registrar({ codes, registrations: registrations(pool, keyedHash(PEPPER)), now }),
    login: token === undefined ? null : telegramLogin(token),
    usedLogins: usedLogins(pool),
    checkTokens,
    now,
  };
}

type Otp = Awaited<ReturnType<typeof wireOtp>>;

interface OtpWiring {
  readonly guard: RowGuard;
  readonly counter: QuotaCounter;
}

/** One-time codes: the intake with its outbox, checks, and what providers report. */
async function wireOtp(config: Config, log: Logger, { guard, counter }: OtpWiring) {
  const hash = keyedHash(config.PEPPER);
  const now = () => new Date();
  const pool = hotPool(config.DATABASE_URL, HOT_CONNECTIONS_MAX);
  const onError = (err: Error) => log.warn({ err }, 'redis error');
  const queues = openQueues(producerRedis(config.REDIS_URL, onError), jobs);
  const outbox = queueOutbox(queues, now);
  const code = codeOf(config.CODE_KEYS);
  const number = numberOf(config.CODE_KEYS);
  const codeKid = config.CODE_KEYS.current;
  const providers = configuredChannels(config);
  const ports = {
    intake: boundedOtpIntake(
      otpIntake({ pool, hash, codeKid, numberOf: number, providers, now, outbox }),
      guard,
    ),
    checks: otpChecks({ pool, hash, seal: sealer(config.SEAL_KEYS), codeOf: code, codeKid, now }),
    verifications: verifications(pool, now),
    codeOf: code,
    checkTokens: proofTokens(hash, 'check-token'),
    users: phoneUsers(pool),
    tokens: await accessTokens(config.JWT_PRIVATE_JWK),
  };
  const reports = reportsTo(pool, queues, log);
  const answers = { numberOf: number, signatureHolds: approvalSignatureHolds };
  const close = async () => {
    await outbox.idle();
    await closeQueues(queues);
    await pool.end();
  };
  return {
    ports,
    messages: wireMessages(config, pool, guard),
    callbacks: await wireCallbacks(config, { ...reports, counter }),
    challenges: challenges({ pool, hash, ...answers, ...reports }),
    close,
  };
}

type Reports = Pick<CallbackDeps, 'deliveries' | 'wake'>;

/** What is heard of a message later is recorded, and wakes the job that waits for it. */
function reportsTo(pool: Pool, queues: Queues, log: Logger): Reports {
  return {
    deliveries: deliveries(pool, () => new Date()),
    wake: (jobId) =>
      void wakeTicket(queues, 'otp-send', jobId).catch((err: unknown) =>
        log.warn({ err }, 'a ticket was not woken'),
      ),
  };
}

/** What providers call. */
async function wireCallbacks(
  config: Config,
  reports: Reports & Pick<CallbackDeps, 'counter'>,
): Promise<Router> {
  const readers = await callbackReadersFromConfig(config);
  return callbackRouter({
    readers: {
      ...(readers.sms && { twilio: readers.sms }),
      ...(readers['telegram-gateway'] && { 'telegram-gateway': readers['telegram-gateway'] }),
    },
    ...reports,
    publicUrl: config.PUBLIC_URL,
    proxies: config.TRUST_PROXY,
  });
}

/** Messages to one or to many; their tickets are the releaser's. */
function wireMessages(config: Config, pool: Pool, guard: RowGuard): ApiPorts['messages'] {
  const { PEPPER, SEAL_KEYS } = config;
  return {
    providers: configuredChannels(config),
    intake: boundedBroadcastIntake(
      broadcastIntake({ pool, hash: keyedHash(PEPPER), seal: sealer(SEAL_KEYS), now: () => new Date() }),
      guard,
    ),
    broadcasts: broadcasts(pool),
  };
}

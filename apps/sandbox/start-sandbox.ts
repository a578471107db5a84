import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import type { z } from 'zod';
import { Caller } from './caller.ts';
import { CallLog, type CallRecord } from './calls.ts';
import { answerControl } from './control.ts';
import { Crowd } from './crowd.ts';
import { Eskiz, ESKIZ_PATH } from './eskiz.ts';
import type { EskizOrder } from './eskiz-account.ts';
import { FaultOrder, type FaultRequest, type FaultScope, Faults } from './faults.ts';
import type { Fault } from './fault.ts';
import { Fcm, FCM_PATH } from './fcm.ts';
import { Gateway, GATEWAY_PATH } from './gateway.ts';
import { BODY_BYTES_MAX, type Incoming, problem, readBody, type Reply, writeReply } from './http.ts';
import { Inbox, type InboxFilter } from './inbox.ts';
import type { Channel, Message, SmsProvider } from './message.ts';
import { People } from './people.ts';
import { Phones } from './phones.ts';
import { PLAY_MOBILE_PATH, PlayMobile } from './play-mobile.ts';
import { Settings } from './settings-file.ts';
import { Telegram, TELEGRAM_PATH } from './telegram.ts';
import { PaceOrder, type PaceReport } from './telegram-pace.ts';
import { Timers } from './timers.ts';
import { Twilio, TWILIO_PATH } from './twilio.ts';
import type { Credentials, Timing, World } from './world.ts';

export interface SandboxOptions {
  /** 0 takes a free one. */
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Where the log and the state lie; made when it is not there. */
  directory: string;
  clock?: () => Date;
  credentials?: Credentials;
  timing?: Partial<Timing>;
  /** Enforces 30 messages in any second for a bot and one a second to a chat, or what is given. Default: no pace. */
  telegramPace?: z.input<typeof PaceOrder>;
  log?: Logger;
}

export interface Sandbox {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  url: string;
  port: number;
  /** Every accepted message that is still remembered, newest last. */
  inbox(filter?: InboxFilter): Message[];
  clearInbox(): void;
  /** The next message that fits, or one already there; rejects after `timeoutMs` (default 5 s). */
  waitForMessage(filter: InboxFilter, timeoutMs?: number): Promise<Message>;
  /** Every call to a provider, refused ones and those left hanging too, newest last. */
  calls(filter?: { to?: string; channel?: Channel; provider?: SmsProvider; limit?: number }): CallRecord[];
  /** As `PUT /faults`. */
  orderFaults(...faults: FaultRequest[]): void;
  /** As `DELETE /faults`. */
  clearFaults(only?: FaultScope): void;
  /** As `PUT /eskiz`. */
  orderEskiz(order: EskizOrder): object;
  /** As `GET /telegram/pace`: how well the pace was kept. */
  telegramPace(): PaceReport;
  /** Resolves when the log stands in its files. */
  flush(): Promise<void>;
  /** Cuts the connections that hang, writes the log out and ends. */
  close(): Promise<void>;
}

/** 5 ms: quick, and yet a message can be seen on its way. */
const STEP_MS = 5;
/** 200 ms, doubling: ten tries take a bit over a minute. */
const CALLBACK_PAUSE_MS = 200;
const WAIT_MS = 60_000;
/** Clients keep connections open for a minute; a server that closes first makes them fail. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** The workers of a large load test, and a browser. */
const CONNECTIONS_MAX = 10_000;

/** Local servers that speak the providers' own protocols, on one port. Rejects when NODE_ENV is production. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  refuseProduction(process.env['NODE_ENV']);
  const {
    directory,
    clock = () => new Date(),
    log = pino({ level: 'silent' }),
    host = '127.0.0.1',
  } = options;
  await makePrivate(directory);
  const settings = await Settings.open(directory, log);
  const timers = new Timers();
  const world: World = {
    inbox: await Inbox.open(directory, clock, log),
    faults: new Faults(() => settings.changed()),
    timers,
    caller: new Caller(timers, log),
    credentials: options.credentials ?? {},
    timing: { stepMs: STEP_MS, callbackPauseMs: CALLBACK_PAUSE_MS, ...options.timing },
    changed: () => settings.changed(),
    clock,
    log,
  };
  world.faults.order(settings.saved.faults);
  const calls = await CallLog.open(directory, clock, log);
  const pace = options.telegramPace && PaceOrder.parse(options.telegramPace);
  const [telegram, eskiz] = [new Telegram(world, settings.saved.bots, pace), new Eskiz(world)];
  settings.watch(() => ({ faults: world.faults.restorable(), bots: telegram.snapshots() }));
  const handle = createRouter({ world, calls, telegram, eskiz });
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    (request, response) => void serve(request, response, { handle, calls, log }),
  );
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, options.port, host);
  return createHandle({ server, host, world, calls, settings, telegram, eskiz });
}

/** Codes and messages lie in it. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
}

/** A sandbox answers where a person would have been asked: it must never stand in for a provider in earnest. */
export function refuseProduction(nodeEnv: string | undefined): void {
  if (nodeEnv === 'production') {
    throw new Error(
      'The sandbox pretends to be Twilio, Eskiz, Telegram and Firebase and never starts when NODE_ENV is production.',
    );
  }
}

type Handler = (incoming: Incoming) => Promise<Reply>;

function createRouter(parts: Pick<Parts, 'world' | 'calls' | 'telegram' | 'eskiz'>): Handler {
  const { world, calls, telegram, eskiz } = parts;
  const [twilio, gateway, fcm] = [new Twilio(world), new Gateway(world), new Fcm(world)];
  const playMobile = new PlayMobile(world);
  const { inbox, faults } = world;
  const people = new People(world, telegram);
  const control = {
    inbox,
    faults,
    calls,
    people,
    crowd: new Crowd(world, people),
    phones: new Phones(),
    pace: telegram.pace,
    playMobile,
    eskiz: eskiz.account,
  };
  return async (incoming) => {
    const { path } = incoming;
    if (path.startsWith(TWILIO_PATH)) return twilio.answer(incoming);
    if (path.startsWith(PLAY_MOBILE_PATH)) return playMobile.answer(incoming);
    if (path.startsWith(ESKIZ_PATH)) return eskiz.answer(incoming);
    if (path.startsWith(TELEGRAM_PATH)) return telegram.answer(incoming);
    if (path.startsWith(GATEWAY_PATH)) return gateway.answer(incoming);
    if (path.startsWith(FCM_PATH)) return fcm.answer(incoming);
    return answerControl(incoming, control);
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { handle, calls, log }: { handle: Handler; calls: CallLog; log: Logger },
): Promise<void> {
  try {
    const body = await readBody(request);
    if (!body) return writeReply(response, problem(`A body has at most ${BODY_BYTES_MAX} bytes.`, 413));
    const incoming = incomingOf(request, response, body);
    const reply = await handle(incoming);
    calls.record(incoming.trace, reply);
    writeReply(response, reply);
  } catch (error) {
    // The caller went away while sending, or the sandbox itself is wrong: either way nothing of the request is logged.
    log.error({ err: error }, 'sandbox could not answer');
    if (!response.headersSent) writeReply(response, problem('The sandbox could not answer.', 500));
  }
}

function incomingOf(request: IncomingMessage, response: ServerResponse, body: Buffer): Incoming {
  const { url = '/', method = 'GET', headers } = request;
  const mark = url.indexOf('?');
  return {
    method,
    headers,
    body,
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    trace: {},
    onGone: (listener) => {
      response.once('close', listener);
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

interface Parts {
  server: Server;
  host: string;
  world: World;
  calls: CallLog;
  settings: Settings;
  telegram: Telegram;
  eskiz: Eskiz;
}

function createHandle(parts: Parts): Sandbox {
  const { server, host, world, calls, settings, telegram, eskiz } = parts;
  const { port } = server.address() as AddressInfo;
  const { inbox, faults } = world;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${reachable(host)}:${port}`,
    port,
    inbox: (filter) => inbox.list(filter),
    clearInbox: () => inbox.clear(),
    waitForMessage: (filter, timeoutMs = WAIT_MS) => waitForMessage(inbox, filter, timeoutMs),
    calls: (filter) => calls.list(filter),
    orderFaults: (...requests) => faults.order(requests.map((request): Fault => FaultOrder.parse(request))),
    clearFaults: (only) => faults.clear(only),
    orderEskiz: (order) => eskiz.account.order(order),
    telegramPace: () => telegram.pace.report(),
    flush: async () => void (await Promise.all([inbox.flush(), calls.flush(), settings.flush()])),
    close: () => (closing ??= shutDown(parts)),
  };
}

/** An address for a client: the wildcards name none, and one of IPv6 stands in brackets. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** First nobody new, then nothing of ours still to come, then the files. */
async function shutDown({ server, world, calls, settings }: Parts): Promise<void> {
  world.timers.clear();
  world.caller.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await Promise.all([world.inbox.close(), calls.close(), settings.flush()]);
}

function waitForMessage(inbox: Inbox, filter: InboxFilter, timeoutMs: number): Promise<Message> {
  const there = inbox.list(filter).at(-1);
  if (there) return Promise.resolve(there);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`no message for ${filter.to ?? 'anybody'} within ${timeoutMs} ms`));
    }, timeoutMs);
    const stop = inbox.onMessage(() => {
      const found = inbox.list(filter).at(-1);
      if (!found) return;
      clearTimeout(timer);
      stop();
      resolve(found);
    });
  });
}

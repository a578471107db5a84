import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { parseJson } from '../../../../domain/shared/json.ts';
import { Caller } from '../../caller.ts';
import { BODY_BYTES_MAX, json, problem, readBody, writeReply } from '../../http.ts';
import { Timers } from '../../timers.ts';
import { answerForm, bind, FORM_PATH, readBinding } from './binding.ts';
import { answerControl } from './control.ts';
import { confirm, draft, read, settle } from './credit.ts';
import type { Account, Desk, Outcome } from './desk.ts';
import { FaultOrder, type FaultRequest } from './faults.ts';
import { application, history } from './history.ts';
import type { Incoming } from './incoming.ts';
import { LogFile } from './log-file.ts';
import { LogLine } from './lines.ts';
import { refused } from './models.ts';
import { People } from './people.ts';
import { type Payment, Rail } from './rail.ts';
import { Settings } from './settings.ts';
import { logIn, refusalOf } from './tokens.ts';

/** 1 000 million soʻm in tiyin: the largest batch, with its commission left to be topped up. */
const WALLET_TIYIN = 100_000_000_000;
/** Clients keep connections open for a minute; a server that closes first makes them fail. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const LOG_FILE = 'multicard.jsonl';

export interface MulticardOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host?: string;
  /** Where the log lies; made when it is not there. */
  readonly directory: string;
  readonly account: Account;
  /** Where it tells of payments; without it, nowhere. */
  readonly webhookUrl?: string | undefined;
  readonly clock?: () => Date;
  readonly log?: Logger;
}

export interface Multicard {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The log, an auditor's only source. */
  readonly logPath: string;
  /** As `PUT /control/settings`. */
  set(change: Partial<Settings>): void;
  /** As `PUT /control/faults`. */
  orderFaults(...faults: readonly FaultRequest[]): void;
  payments(): readonly Payment[];
  /** Tiyin. */
  wallet(): number;
  /** Resolves when the log is on the disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A local server that speaks the protocol of Multicard and pays nobody. Rejects when NODE_ENV is production. */
export async function startMulticard(options: MulticardOptions): Promise<Multicard> {
  if (process.env['NODE_ENV'] === 'production')
    throw new Error('The sandbox pretends to be Multicard and never starts when NODE_ENV is production.');
  const { directory, clock = () => new Date(), host = '127.0.0.1', account, webhookUrl } = options;
  const log = options.log ?? pino({ level: 'silent' });
  const logPath = join(directory, LOG_FILE);
  const rail = new Rail(WALLET_TIYIN);
  const file = await LogFile.open(logPath, (line) => rail.replay(LogLine.parse(line)));
  rail.writeTo(file);
  rail.commit({ t: 'start', at: Date.now(), pid: process.pid });
  const timers = new Timers();
  const caller = new Caller(timers, log);
  const webhooks = {
    rail,
    caller,
    url: webhookUrl ?? null,
    secret: account.secret,
    storeId: account.storeId,
  };
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const desk: Desk = { rail, timers, clock, webhooks, account, origin };
  const people = new People(desk, caller);
  for (const { uuid, to, dueAt } of rail.dues)
    timers.after(Math.max(dueAt - Date.now(), 0), () => settle(desk, uuid, to));
  server.on('request', (request, response) => void serve(desk, people, log, { request, response }));
  await listen(server, options.port, host);
  return handleOf({ server, rail, file, timers, caller, logPath, origin });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve(
  desk: Desk,
  people: People,
  log: Logger,
  { request, response }: Exchange,
): Promise<void> {
  const at = Date.now();
  try {
    const body = await readBody(request);
    if (!body) return writeReply(response, problem(`A body has at most ${BODY_BYTES_MAX} bytes.`, 413));
    const incoming = incomingOf(request, body, desk.rail.nextRequest());
    const { id, method, path } = incoming;
    // Asked every few seconds for ever.
    if (path === '/health') return writeReply(response, json(200, { status: 'ok' }));
    const reference = referenceIn(incoming.body);
    desk.rail.commit({ t: 'begin', id, at, method, path, ...(reference !== undefined && { reference }) });
    const { reply, fault } = await answer(desk, incoming, people);
    // Nothing is told before what it tells of is on the disk.
    await desk.rail.flushed();
    const restMs = isApi(path) ? at + desk.rail.settings.answer_ms - Date.now() : 0;
    if (restMs > 0) await desk.timers.sleep(restMs);
    const status = 'hangMs' in reply ? null : reply.status;
    desk.rail.commit({ t: 'end', id, at: Date.now(), status, ...(fault !== undefined && { fault }) });
    writeReply(response, reply);
  } catch (error) {
    log.error({ err: error }, "the sandbox's Multicard could not answer");
    if (!response.headersSent) writeReply(response, problem('The sandbox could not answer.', 500));
  }
}

function incomingOf(request: IncomingMessage, body: Buffer, id: number): Incoming {
  const { url = '/', method = 'GET', headers } = request;
  const [path = '/', ...query] = url.split('?');
  const text = body.toString('utf8');
  const authorization = headers.authorization ?? '';
  return {
    id,
    method,
    path,
    query: new URLSearchParams(query.join('?')),
    body: parseJson(text),
    text,
    authorization,
  };
}

function referenceIn(body: unknown): string | undefined {
  const reference: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'invoice_id') : undefined;
  return typeof reference === 'string' ? reference : undefined;
}

const isApi = (path: string): boolean => path.startsWith('/payment/');
const CREDIT = /^\/payment\/credit\/([^/]+)$/;
const HISTORY = /^\/payment\/store\/([^/]+)\/credit-history$/;
const BINDING = /^\/payment\/card\/bind\/([^/]+)$/;

async function answer(desk: Desk, incoming: Incoming, people: People): Promise<Outcome> {
  const { method, path } = incoming;
  if (path.startsWith(FORM_PATH)) return { reply: await answerForm(desk, incoming, people) };
  if (method === 'POST' && path === '/auth') return logIn(desk, incoming);
  if (!isApi(path)) return { reply: await answerControl(desk, incoming, people) };
  const refusal = refusalOf(desk, incoming);
  return refusal ? { reply: refusal } : answerApi(desk, incoming, people);
}

function answerApi(desk: Desk, incoming: Incoming, people: People): Outcome | Promise<Outcome> {
  const { method, path } = incoming;
  if (method === 'POST' && path === '/payment/credit') return draft(desk, incoming);
  if (method === 'POST' && path === '/payment/card/bind') return bind(desk, incoming, people);
  if (method === 'GET' && path === '/payment/application') return application(desk);
  const [, credit] = CREDIT.exec(path) ?? [];
  if (credit !== undefined && method === 'PUT') return confirm(desk, incoming, credit);
  if (credit !== undefined && method === 'GET') return read(desk, credit);
  const [, store] = HISTORY.exec(path) ?? [];
  if (store !== undefined && method === 'GET') return history(desk, incoming, store);
  const [, session] = BINDING.exec(path) ?? [];
  if (session !== undefined && method === 'GET') return readBinding(desk, session);
  return { reply: refused('ERROR_NOT_FOUND') };
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
  readonly server: Server;
  readonly rail: Rail;
  readonly file: LogFile;
  readonly timers: Timers;
  readonly caller: Caller;
  readonly logPath: string;
  readonly origin: () => string;
}

function handleOf(parts: Parts): Multicard {
  const { server, rail, logPath, origin } = parts;
  let closing: Promise<void> | undefined;
  return {
    url: origin(),
    port: (server.address() as AddressInfo).port,
    logPath,
    set: (change) =>
      rail.commit({ t: 'settings', settings: Settings.parse({ ...rail.settings, ...change }) }),
    orderFaults: (...faults) =>
      rail.commit({ t: 'faults', orders: faults.map((fault) => FaultOrder.parse(fault)) }),
    payments: () => rail.payments,
    wallet: () => rail.wallet,
    flush: () => rail.flushed(),
    close: () => (closing ??= shutDown(parts)),
  };
}

/** First nobody new, then nothing of ours still to come, then the log. */
async function shutDown({ server, file, timers, caller }: Parts): Promise<void> {
  timers.clear();
  caller.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await file.close();
}

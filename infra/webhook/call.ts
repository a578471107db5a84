import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { Agent, type Dispatcher, request } from 'undici';
import type { Called } from '../../domain/webhook/classify-response.ts';
import type { CallFault } from '../../domain/webhook/call-fault.ts';
import type { CallWebhook, WebhookCall } from '../../domain/webhook/delivery.ts';
import { callbackUrlFault, type UrlRules } from '../../domain/webhook/url.ts';
import { censorText } from '../process/log.ts';
import { causesOf, replyWithoutAnswer } from '../providers/replies.ts';
import { type Address, addressesOf, type Resolve } from './resolve.ts';

/** As many as one endpoint may have in flight. */
const CONNECTIONS_PER_HOST_MAX = 4;
/** Hosts whose connections are kept: the least used ones are closed. */
const HOSTS_MAX = 500;
/** Servers commonly drop an idle connection after five seconds or more; a call sent into that moment is lost. */
const IDLE_MS_MAX = 4_000;
/** 5 s: a server that is there has answered by then, even from across the world. */
const CONNECT_MS_MAX = 5_000;
/** An answer of which somebody reads the beginning, if anybody. */
const ANSWER_BYTES_KEPT = 1_024;
/** The verdict is in its status: what its body does after that is not waited for. */
const ANSWER_BODY_MS_MAX = 2_000;

export interface CallOptions {
  readonly rules: UrlRules;
  readonly resolve: Resolve;
  /** May we connect there? `addressRule` says it of the open internet. */
  readonly isAllowed: (address: Address) => boolean;
  /** Beside those that Node trusts: for tests. */
  readonly ca?: string;
}

/**
 * Calls customers' servers. The name is looked up once, every address of it is checked, and the connection goes to those very
 * addresses: a name that answers otherwise a moment later changes nothing. No redirect is followed.
 */
export function webhookCaller(options: CallOptions): {
  readonly call: CallWebhook;
  readonly close: () => Promise<void>;
} {
  const agents = new LRUCache<string, Agent>({
    max: HOSTS_MAX,
    dispose: (agent) => void agent.close().catch(() => undefined),
  });
  const agentFor = (origin: string, addresses: readonly Address[]): Agent => {
    // A kept connection is used again only where this look-up led to the same place.
    const key = [origin, ...addresses.map(({ address }) => address).toSorted()].join(' ');
    const kept = agents.get(key);
    if (kept) return kept;
    const agent = pinnedAgent(addresses, options.ca);
    agents.set(key, agent);
    return agent;
  };
  const call: CallWebhook = async (message, signal) => {
    const url = new URL(message.url);
    const found = await allowedAddresses(url, options, signal);
    return 'fault' in found
      ? { kind: 'in-vain', fault: found.fault }
      : post(agentFor(url.origin, found.addresses), message, signal);
  };
  return { call, close: () => closeAll([...agents.values()]) };
}

const closeAll = async (agents: readonly Agent[]): Promise<void> => {
  await Promise.all(agents.map((agent) => agent.destroy()));
};

async function allowedAddresses(
  url: URL,
  { rules, resolve, isAllowed }: CallOptions,
  signal: AbortSignal,
): Promise<{ readonly addresses: readonly Address[] } | { readonly fault: CallFault }> {
  // It was allowed when it was given; the configuration may have changed since.
  if (callbackUrlFault(url.href, rules) !== null) return { fault: 'address-forbidden' };
  try {
    const addresses = await unlessAborted(addressesOf(url.hostname, resolve), signal);
    if (addresses.length === 0) return { fault: 'name-unresolved' };
    // One bad address among good ones is enough: which one a connection takes is chance.
    if (!addresses.every(isAllowed)) return { fault: 'address-forbidden' };
    return { addresses };
  } catch {
    return { fault: signal.aborted ? abortedBy(signal) : 'name-unresolved' };
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('aborted'));
    signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Its own time ran out, or this process is going. */
const abortedBy = ({ reason }: AbortSignal): CallFault =>
  reason instanceof DOMException && reason.name === 'TimeoutError' ? 'timeout' : 'interrupted';

function pinnedAgent(addresses: readonly Address[], ca: string | undefined): Agent {
  const lookup: LookupFunction = (_hostname, { all }, answer) => {
    const [first] = addresses;
    if (!first) answer(new Error('no address'), '');
    else if (all === true)
      answer(
        null,
        addresses.map((each) => ({ ...each })),
      );
    else answer(null, first.address, first.family);
  };
  return new Agent({
    connections: CONNECTIONS_PER_HOST_MAX,
    keepAliveTimeout: IDLE_MS_MAX,
    keepAliveMaxTimeout: IDLE_MS_MAX,
    // The name stays that of the URL, so that its certificate is checked as always.
    connect: { timeout: CONNECT_MS_MAX, lookup, ...(ca === undefined ? {} : { ca }) },
  });
}

async function post(
  dispatcher: Dispatcher,
  { url, headers, body }: WebhookCall,
  signal: AbortSignal,
): Promise<Called> {
  try {
    const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher });
    const { 'retry-after': retryAfter } = answer.headers;
    return {
      kind: 'answered',
      status: answer.statusCode,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
      body: shown(await beginningOf(answer.body)),
    };
  } catch (error) {
    return { kind: 'in-vain', fault: faultOf(error, signal) };
  }
}

/** The rest is not read: the connection is closed in the middle of it. */
async function beginningOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const late = setTimeout(() => body.destroy(), ANSWER_BODY_MS_MAX);
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > ANSWER_BYTES_KEPT) break;
    }
  } catch {
    // What there is of it is enough.
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES_KEPT);
}

/** As a log may hold it, and as Postgres takes it. */
const shown = (bytes: Buffer): string => censorText(bytes.toString('utf8').replaceAll('\0', '�'));

const tlsCode = /CERT|SSL|TLS|SIGNATURE/;

function faultOf(error: unknown, signal: AbortSignal): CallFault {
  if (signal.aborted) return abortedBy(signal);
  for (const cause of causesOf(error)) {
    const code: unknown = Reflect.get(cause, 'code');
    if (typeof code === 'string' && tlsCode.test(code)) return 'tls';
  }
  const reply = replyWithoutAnswer(error, signal);
  if (reply?.kind === 'faulted') return 'not-connected';
  if (reply?.kind === 'unknown') return reply.reason;
  throw error;
}

import { createPrivateKey, randomInt, randomUUID, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { bookOf } from '../../infra/postgres/pay/posting.ts';
import { machine, residentBytesOf } from '../support/cpu.ts';
import { type Figure, figure, quantile } from '../support/figures.ts';
import type { Options } from '../support/options.ts';
import { onStage, type Stage } from '../support/stage.ts';

/** Each api serves every second client. */
const APIS = ['api-a', 'api-b'] as const;
/** Commits of one second, each of another person: as many as a day's close would show at a time, and far below what the book takes. */
const UPDATES_PER_SECOND = 50;
/** Handshakes that are under way at a time. */
const DIALLED_AT_ONCE = 50;
/** Longer than a look and a slow minute of the machine: what is not heard by then is lost, and the bench fails. */
const HEARD_WITHIN_MS = 30_000;
/** Until what connecting cost has been collected. */
const REST_MS = 10_000;
const MICROS_OF_TIYIN = 10_000n;

interface Client {
  readonly personId: string;
  readonly account: string;
  readonly token: string;
  ws: WebSocket | undefined;
  parts: number;
  tiyin: bigint;
  /** The balance that is waited for, since when, and what is told how long it took. */
  waits:
    | { readonly tiyin: string; readonly sinceMs: number; readonly heard: (ms: number) => void }
    | undefined;
}

/** Clients of `/ws` over two apis, and transfers in their book: from before the commit to the message. */
export async function live(options: Options): Promise<Figure[]> {
  const p50: number[] = [];
  const p99: number[] = [];
  const cores: number[] = [];
  const kilobytes: number[] = [];
  await onStage(options, async (stage) => {
    const { urls, pids } = await startApis(stage);
    const clients = await seed(stage, options.clients);
    kilobytes.push((await connect(clients, urls, pids)) / 1_000);
    for (let round = 1; round <= options.rounds; round++) {
      const watched = stage.watch();
      const took = await update(stage, clients, options.seconds);
      const used = watched();
      p50.push(quantile(took, 0.5));
      p99.push(quantile(took, 0.99));
      cores.push(APIS.reduce((sum, name) => sum + (used[name] ?? Number.NaN), 0));
      console.error(
        `round ${round}: ${took.length} updates, p99 ${p99.at(-1)?.toFixed(0)} ms, cores ${JSON.stringify(used)} (${machine()})`,
      );
    }
    for (const { ws } of clients) ws?.terminate();
  });
  const of = `${options.clients} clients over ${APIS.length} apis`;
  return [
    figure('live', `ms from commit to message, median, ${of}`, p50),
    figure('live', `ms from commit to message, p99, ${of}`, p99),
    figure('live', 'kB of an api a client', kilobytes),
    figure('live', 'cores of both apis', cores),
  ];
}

async function startApis(stage: Stage) {
  const urls: string[] = [];
  const pids: number[] = [];
  for (const name of APIS) {
    const port = await stage.freePort();
    const { pid } = await stage.start(name, 'apps/api/main.ts', {
      NODE_ENV: 'test',
      REDIS_URL: stage.redisUrl(0),
      API_PORT: String(port),
      NAVBAT_PRODUCTS: 'verify,message,pay,earn',
      MONEY_PROJECT: PLATFORM_PROJECT_ID,
      // Each client would else share one address, which may hold 512 connections.
      TRUST_PROXY: '1',
    });
    urls.push(`ws://127.0.0.1:${port}/ws`);
    pids.push(pid);
  }
  return { urls, pids };
}

const insertPeople = `
with people as (
  select uuidv7() as person, uuidv7() as recipient, uuidv7() as session, n from generate_series(1, $2::int) n),
persons as (insert into person (id, mode, created_at) select person, 'live', now() from people),
recipients as (
  insert into recipient (id, project_id, phone, address_hash, person_id, created_at, updated_at)
  select recipient, $1, '+99890' || (1000000 + n), sha256(recipient::text::bytea), person, now(), now() from people),
sessions as (
  insert into session (id, person_id, project_id, mode, recipient_id, method, refreshed_at, authenticated_at, created_at, expires_at)
  select session, person, $1, 'live', recipient, 'code', now(), now(), now(), now() + interval '1 day' from people)
select person, recipient, session from people`;

async function seed({ sql, env }: Stage, count: number): Promise<Client[]> {
  const { rows } = await sql.query<{ person: string; recipient: string; session: string }>(insertPeople, [
    PLATFORM_PROJECT_ID,
    count,
  ]);
  const book = bookOf(sql, PLATFORM_PROJECT_ID);
  const tokenOf = signer(env['JWT_PRIVATE_JWK'] ?? '');
  const clients: Client[] = [];
  for (const { person, recipient, session } of rows)
    clients.push({
      personId: person,
      account: await book.open('available', person),
      token: tokenOf({ sub: recipient, sid: session }),
      ws: undefined,
      parts: 0,
      tiyin: 0n,
      waits: undefined,
    });
  await sql.query('analyze person, recipient, session, ledger_account');
  return clients;
}

/** Access tokens that outlive the bench (RFC 7519). */
function signer(jwk: string) {
  const { kid, ...key } = JSON.parse(jwk) as { readonly kid: string };
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return (claims: object): string => {
    const iat = Math.floor(Date.now() / 1_000);
    const said = { ...claims, iss: 'navbat', aud: PLATFORM_PROJECT_ID, iat, exp: iat + 86_400 };
    const text = `${part({ alg: 'EdDSA', kid, typ: 'JWT' })}.${part(said)}`;
    return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
  };
}

/** A tenth of them first, so that what the first ones cost is not counted. Answers the bytes by which the apis grow with each other one. */
async function connect(
  clients: readonly Client[],
  urls: readonly string[],
  pids: readonly number[],
): Promise<number> {
  const resident = () => pids.reduce((sum, pid) => sum + residentBytesOf(pid), 0);
  const first = Math.ceil(clients.length / 10);
  await connectAll(clients.slice(0, first), urls);
  await sleep(REST_MS);
  const before = resident();
  await connectAll(clients.slice(first), urls);
  await sleep(REST_MS);
  return (resident() - before) / Math.max(1, clients.length - first);
}

/** Until each has heard the four parts of its state. */
async function connectAll(clients: readonly Client[], urls: readonly string[]): Promise<void> {
  const waiting = [...clients.entries()];
  const worker = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop())
      await connectOne(next[1], urls[next[0] % urls.length] ?? '');
  };
  await Promise.all(Array.from({ length: DIALLED_AT_ONCE }, worker));
}

function connectOne(client: Client, url: string): Promise<void> {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  client.ws = ws;
  return new Promise((resolve, reject) => {
    ws.once('open', () => ws.send(JSON.stringify({ token: client.token })));
    ws.once('error', reject);
    ws.once('close', (code, reason) => reject(new Error(`closed with ${code} ${String(reason)}`)));
    ws.on('message', (data) => {
      const { event, data: state } = JSON.parse(String(data as Buffer)) as {
        event: string;
        data: { available?: string };
      };
      if (++client.parts === 4) resolve();
      const { waits } = client;
      if (event !== 'balance' || !waits || state.available !== waits.tiyin) return;
      client.waits = undefined;
      waits.heard(performance.now() - waits.sinceMs);
    });
  });
}

/** One transfer after the other, each to somebody who waits for none, and until all were heard. */
async function update({ sql }: Stage, clients: readonly Client[], seconds: number): Promise<number[]> {
  const book = bookOf(sql, PLATFORM_PROJECT_ID);
  const earnings = await book.open('earnings');
  const took: number[] = [];
  const all: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let n = 0; n < seconds * UPDATES_PER_SECOND; n++) {
    await sleep(Math.max(0, startedMs + (n * 1_000) / UPDATES_PER_SECOND - performance.now()));
    const client = clients[randomInt(clients.length)];
    if (!client || client.waits) continue;
    client.tiyin += 1n;
    const sinceMs = performance.now();
    const heard = new Promise<void>((resolve) => {
      client.waits = {
        tiyin: client.tiyin.toString(),
        sinceMs,
        heard: (ms) => {
          took.push(ms);
          resolve();
        },
      };
    });
    all.push(heard);
    await book.postAll([
      {
        key: `bench:${randomUUID()}`,
        kind: 'earn',
        debit: earnings,
        credit: client.account,
        amount: MICROS_OF_TIYIN,
      },
    ]);
  }
  const late = sleep(HEARD_WITHIN_MS, 'late', { ref: false });
  if ((await Promise.race([Promise.all(all), late])) === 'late')
    throw new Error(`${all.length - took.length} of ${all.length} updates were not heard`);
  return took;
}

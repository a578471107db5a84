import { createHistogram } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, openConnection } from '../../load/connection.ts';
import { PhonesOrder, type PhonesReport } from './order.ts';

/** Phones that report over HTTP, from 200 addresses: each session sends its next reports under their own numbers. */

const ADDRESSES = 200;
const LAST_ANSWERS_MS = 10_000;
const TICK_MS = 1;
const BYTES_A_REPORT = 40_000;

const nowMs = () => performance.now();

interface Placed {
  readonly connection: Connection;
  readonly place: number;
}

class Turn {
  readonly #order: PhonesOrder;
  readonly #heads: readonly string[];
  readonly #next: number[];
  readonly #statuses = new Map<number, number>();
  readonly #latency = createHistogram();
  readonly #from: number;
  readonly #until: number;
  /** Of each connection: how often it has sent. */
  readonly #sent: number[] = [];
  #under = 0;
  #inTime = 0;
  #all = 0;

  constructor(order: PhonesOrder) {
    this.#order = order;
    this.#next = order.sessions.map(({ next }) => next);
    this.#heads = order.sessions.map(
      ({ token }) =>
        `POST /api/traffic/report HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json`,
    );
    this.#from = nowMs() + order.warmupSeconds * 1_000;
    this.#until = this.#from + order.seconds * 1_000;
  }

  get over(): boolean {
    return nowMs() >= this.#until;
  }

  /** Each session stays with its connection, as a phone stays with its address. */
  send({ connection, place }: Placed, onFree: () => void): void {
    const { connections } = this.#order;
    const each = Math.max(1, Math.floor(this.#heads.length / connections));
    const sent = this.#sent[place] ?? 0;
    this.#sent[place] = sent + 1;
    const index = place + connections * (sent % each);
    const { size } = this.#order;
    const first = this.#next[index] ?? 0;
    this.#next[index] = first + size;
    const sentMs = nowMs();
    this.#under += 1;
    connection.send(
      this.#heads[index] ?? '',
      bodyOf(this.#order.sessions[index]?.id ?? '', first, size),
      (status) => {
        this.#under -= 1;
        const atMs = nowMs();
        this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
        if (status === 202) {
          this.#all += size;
          if (atMs >= this.#from && atMs < this.#until) this.#inTime += size;
          this.#latency.record(Math.max(1, Math.round((atMs - sentMs) * 1_000)));
        }
        onFree();
      },
    );
  }

  async report(): Promise<PhonesReport> {
    const deadline = nowMs() + LAST_ANSWERS_MS;
    while (this.#under > 0 && nowMs() < deadline) await sleep(TICK_MS);
    return {
      bench: 'phones',
      statuses: Object.fromEntries([
        ...this.#statuses,
        ...(this.#under > 0 ? [['unanswered', this.#under] as const] : []),
      ]),
      perSecond: this.#inTime / this.#order.seconds,
      reports: this.#all,
      p99Ms: this.#latency.percentile(99) / 1_000,
      next: this.#next,
    };
  }
}

/** Of the last minute or so: their totals grow with their numbers. */
function bodyOf(session: string, first: number, size: number): string {
  const measured = Date.now() - size;
  const reports = Array.from({ length: size }, (_, n) => {
    const total = (first + n + 1) * BYTES_A_REPORT;
    return `{"seq":${first + n},"measured_at":"${new Date(measured + n).toISOString()}","bytes_up":${total / 10},"bytes_down":${total}}`;
  });
  return `{"session_id":"${session}","reports":[${reports.join(',')}]}`;
}

async function closedLoop(turn: Turn, connections: readonly Placed[]): Promise<void> {
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const next = () => (turn.over ? resolve() : turn.send(connection, next));
          next();
        }),
    ),
  );
}

async function openLoop(turn: Turn, connections: readonly Placed[], rate: number): Promise<void> {
  const free = [...connections];
  const startMs = nowMs();
  let sent = 0;
  const sendDue = () => {
    while (free.length > 0 && !turn.over && startMs + (sent / rate) * 1_000 <= nowMs()) {
      const connection = free.shift() as Placed;
      sent += 1;
      turn.send(connection, () => {
        free.push(connection);
        sendDue();
      });
    }
  };
  while (!turn.over) {
    sendDue();
    await sleep(TICK_MS);
  }
}

async function run(order: PhonesOrder): Promise<PhonesReport> {
  const connections = await Promise.all(
    Array.from({ length: order.connections }, async (_, place) => ({
      place,
      connection: await openConnection(order.port, `127.0.0.${2 + (place % ADDRESSES)}`),
    })),
  );
  try {
    const turn = new Turn(order);
    await (order.rate === null ? closedLoop(turn, connections) : openLoop(turn, connections, order.rate));
    return await turn.report();
  } finally {
    for (const { connection } of connections) connection.close();
  }
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await run(PhonesOrder.parse(JSON.parse(line)))));

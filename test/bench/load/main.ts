import { createInterface } from 'node:readline';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { phoneAt } from '../support/numbers.ts';
import { type Connection, openConnection } from './connection.ts';
import { LoadOrder, type LoadReport } from './order.ts';

/** Whoever has not answered by then has failed. */
const LAST_ANSWERS_MS = 10_000;
/** Loopback has 16 million addresses; each connection comes from one of these. */
const ADDRESSES = 200;
/** Requests that are due are looked for this often; timers of Node are no finer. */
const TICK_MS = 1;

const nowMs = () => performance.timeOrigin + performance.now();

/** A turn of load: what was sent, and what came back when. */
class Turn {
  readonly #order: LoadOrder;
  readonly #heads: readonly string[];
  readonly #statuses = new Map<number, number>();
  readonly #latency = createHistogram();
  readonly #traces: [number, number, number][] = [];
  readonly #from: number;
  readonly #until: number;
  #next: number;
  #under = 0;
  #inTime = 0;

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#next = order.firstNumber;
    this.#heads = order.keys.map(headOf);
    this.#from = nowMs() + order.warmupSeconds * 1_000;
    this.#until = this.#from + order.seconds * 1_000;
  }

  /** Sends one request; `dueMs` is what its latency counts from, so that waiting for a free connection is part of it. */
  send(connection: Connection, at: number, dueMs: number, onFree: () => void): void {
    const number = this.#next++;
    const head = `${this.#heads[at % this.#heads.length]}${number}`;
    this.#under++;
    connection.send(head, `{"to":"${phoneAt(number)}","purpose":"login"}`, (status) => {
      this.#under--;
      this.#answered(number, dueMs, status);
      onFree();
    });
  }

  #answered(number: number, dueMs: number, status: number): void {
    const atMs = nowMs();
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status !== 202) return;
    if (atMs >= this.#from && atMs < this.#until) this.#inTime++;
    if (dueMs < this.#from || dueMs >= this.#until) return;
    this.#latency.record(Math.max(1, Math.round((atMs - dueMs) * 1_000)));
    if (this.#order.trace) this.#traces.push([number, dueMs, atMs]);
  }

  get over(): boolean {
    return nowMs() >= this.#until;
  }

  async report(): Promise<LoadReport> {
    const deadline = nowMs() + LAST_ANSWERS_MS;
    while (this.#under > 0 && nowMs() < deadline) await sleep(TICK_MS);
    return {
      bench: 'load',
      nextNumber: this.#next,
      statuses: Object.fromEntries([
        ...this.#statuses,
        ...(this.#under > 0 ? [['unanswered', this.#under] as const] : []),
      ]),
      perSecond: this.#inTime / this.#order.seconds,
      p50Ms: this.#latency.percentile(50) / 1_000,
      p99Ms: this.#latency.percentile(99) / 1_000,
      traces: this.#traces,
    };
  }
}

const headOf = (key: string) =>
  `POST /otp/send HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nIdempotency-Key: bench-`;

/** Each connection sends its next request as soon as the last is answered, and takes turns between its own keys. */
async function closedLoop(turn: Turn, connections: readonly Connection[], keys: number): Promise<void> {
  const each = Math.max(1, Math.floor(keys / connections.length));
  await Promise.all(
    connections.map(
      (connection, index) =>
        new Promise<void>((resolve) => {
          let sent = 0;
          const next = () => {
            if (turn.over) return resolve();
            turn.send(connection, index + connections.length * (sent++ % each), nowMs(), next);
          };
          next();
        }),
    ),
  );
}

/** Sends what is due, on whatever connection is free; what finds none free waits, and its latency goes on. */
async function openLoop(turn: Turn, connections: readonly Connection[], rate: number): Promise<void> {
  const free = connections.map((connection, index) => ({ connection, index }));
  const startMs = nowMs();
  let sent = 0;
  const sendDue = () => {
    while (free.length > 0) {
      const dueMs = startMs + (sent / rate) * 1_000;
      if (dueMs > nowMs() || turn.over) return;
      const place = free.shift() as (typeof free)[number];
      turn.send(place.connection, sent++, dueMs, () => {
        free.push(place);
        sendDue();
      });
    }
  };
  while (!turn.over) {
    sendDue();
    await sleep(TICK_MS);
  }
}

async function run(order: LoadOrder): Promise<LoadReport> {
  const connections = await Promise.all(
    Array.from({ length: order.connections }, (_, index) =>
      openConnection(order.port, `127.0.0.${2 + (index % ADDRESSES)}`),
    ),
  );
  try {
    const turn = new Turn(order);
    await (order.rate === null
      ? closedLoop(turn, connections, order.keys.length)
      : openLoop(turn, connections, order.rate));
    return await turn.report();
  } finally {
    for (const connection of connections) connection.close();
  }
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await run(LoadOrder.parse(JSON.parse(line)))));

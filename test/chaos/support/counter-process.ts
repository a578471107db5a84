import { Redis } from 'ioredis';
import { CountUnavailable, type Quota } from '../../../domain/project/quota.ts';
import { limitConnection, quotaCounter } from '../../../infra/limits/quota-counter.ts';
import { CounterOrder, type CounterReport } from './counter-order.ts';

/** One process that counts, as the api does; its parent says what. */

/** Longer than any run: the windows of a slow machine end no sooner. */
const WINDOW_SECONDS = 900;
const redisUrl = process.argv[2];
if (redisUrl === undefined) throw new Error('expected the URL of a Redis');

const redis = new Redis(redisUrl, limitConnection);
redis.on('error', () => undefined);
const counter = quotaCounter(redis);

async function carryOut(order: CounterOrder): Promise<CounterReport> {
  const report = { id: order.id, allowed: 0, refused: 0, unavailable: 0, taken: 0 };
  const take = async () => {
    try {
      const quota: Quota = {
        name: 'key',
        subject: order.subject,
        limit: order.limit,
        windowSeconds: WINDOW_SECONDS,
        ...(order.failsClosed ? { failsClosed: true } : {}),
      };
      const [{ taken }] = await counter.take([quota]);
      report.taken = Math.max(report.taken, taken);
      if (taken <= order.limit) report.allowed += 1;
      else report.refused += 1;
    } catch (error) {
      if (!(error instanceof CountUnavailable)) throw error;
      report.unavailable += 1;
    }
  };
  const taking = Array.from({ length: order.times }, take);
  if (order.blockMs > 0) {
    // The commands are on their way first.
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + order.blockMs;
    while (performance.now() < until);
  }
  await Promise.all(taking);
  return { ...report, state: counter.state() };
}

process.on('message', (message) => {
  void carryOut(CounterOrder.parse(message)).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit(0));
// One that starts while Redis is away waits for nothing.
if (process.argv[3] === 'alone') process.send?.('ready');
else redis.once('ready', () => process.send?.('ready'));

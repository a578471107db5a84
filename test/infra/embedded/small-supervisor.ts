import { startPostgres } from '../../../infra/embedded/postgres.ts';
import { startRedis } from '../../../infra/embedded/redis.ts';

/** Starts both servers in the directory it is given, says which processes they are, and waits to be killed. */
const directory = process.argv[2];
if (directory === undefined) throw new Error('Say which directory.');
const [postgres, redis] = await Promise.all([startPostgres({ directory }), startRedis({ directory })]);
const line = {
  postgresPid: postgres.pid,
  ownerUrl: postgres.ownerUrl,
  redisPid: redis.pid,
  redisUrl: redis.url,
};
process.stdout.write(`${JSON.stringify(line)}\n`);
setInterval(() => undefined, 60_000);

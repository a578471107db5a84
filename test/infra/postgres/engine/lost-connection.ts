import { Client } from 'pg';
import { hotPool, inTwoPhases } from '../../../../infra/postgres/engine/hot-pool.ts';

/** A process of its own for `hot-pool.test.ts`: it would end with an unhandled error if the pool let one through. */
const url = process.argv[2] ?? '';
const pool = hotPool(url, 1);
const told = await inTwoPhases(
  pool,
  (client) => [client.query<{ pid: number }>('select pg_backend_pid() pid')] as const,
  ([{ rows }], client) => {
    const killed = terminate(rows[0]?.pid ?? 0);
    return { sent: [client.query('select pg_sleep(5)'), killed], out: 'committed' };
  },
).catch((error: Error) => `rejected: ${error.message}`);
console.log(told);
const out = await inTwoPhases(
  pool,
  (client) => [client.query('select 1')] as const,
  () => ({ sent: [], out: 'and works on' }),
);
console.log(out);
await pool.end();

async function terminate(pid: number): Promise<void> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query('select pg_terminate_backend($1)', [pid]);
  await admin.end();
}

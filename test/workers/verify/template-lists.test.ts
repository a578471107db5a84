import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { templateLists, textModeration } from '../../../infra/postgres/verify/text-moderation.ts';
import { eskizTemplates } from '../../../infra/providers/verify/eskiz-templates.ts';
import { templateTick } from '../../../workers/verify/template-lists.ts';
import { freshSandbox } from '../../apps/sandbox/support.ts';
import { freshDatabase } from '../../support/servers.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let pool: pg.Pool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 8 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test('of many workers one reads the list; where that fails the last one counts on, and the reason is told', async () => {
  let nowMs = Date.parse('2026-11-20T10:00:00Z');
  const now = () => new Date(nowMs);
  const sandbox = await freshSandbox();
  sandbox.orderEskiz({ templates: ['%w: kod %d'] });
  const account = { email: 'a@b.example', password: 'p', apiUrl: `${sandbox.url}/eskiz` };
  const tick = () => templateTick(templateLists(pool, now), eskizTemplates(account))();
  const readings = () => sandbox.calls().filter(({ method }) => method === 'user/templates');
  const state = async () => (await textModeration(pool, now).of('eskiz', 'Shop: kod 1')).state;

  expect(new Set(await Promise.all(Array.from({ length: 6 }, tick)))).toEqual(new Set([10_000]));
  expect(readings()).toHaveLength(1);
  expect(await state()).toBe('approved');

  nowMs += 600_000;
  const method = 'user/templates';
  sandbox.orderFaults({ channel: 'sms', provider: 'eskiz', method, effect: 'server-error', status: 503 });
  await expect(tick()).rejects.toThrow('the texts that eskiz approves were not read: HTTP 503');
  expect(await state()).toBe('approved');
  await tick();
  expect(readings(), 'the next one is due in ten minutes').toHaveLength(2);
});

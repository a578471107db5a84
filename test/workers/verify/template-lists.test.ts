import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { templateLists, textModeration } from '../../../infra/postgres/verify/text-moderation.ts';
import { ProjectId } from '../../../domain/shared/ids.ts';
import { keptAlive } from '../../../infra/providers/http.ts';
import { EskizSession } from '../../../infra/providers/verify/eskiz-session.ts';
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
  const gaps: [string, number][] = [];
  const tick = () =>
    templateTick(
      templateLists(pool, now),
      eskizTemplates(new EskizSession(account, keptAlive())),
      (...told) => gaps.push(told),
    )();
  const readings = () => sandbox.calls().filter(({ method }) => method === 'user/templates');
  const projectId = ProjectId.parse(randomUUID());
  const state = async (text = 'Shop: kod 1') =>
    (await textModeration(pool, now).of({ provider: 'eskiz', projectId, text })).state;

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
  expect(gaps).toEqual([]);

  nowMs += 600_000;
  const body = JSON.stringify({ result: [{ template: '%w: kod %d', status: 'service' }, { text: 'Salom' }] });
  sandbox.orderFaults({ channel: 'sms', provider: 'eskiz', method, effect: 'answer', status: 200, body });
  await tick();
  expect(gaps).toEqual([['eskiz', 1]]);
  expect([await state(), await state('Salom')]).toEqual(['approved', 'unknown']);
});

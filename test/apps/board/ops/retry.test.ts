import { describe, expect, test } from 'vitest';
import { RETRY_RUN_MAX } from '../../../../domain/staff/command.ts';
import { ids, openOps } from './open-ops.ts';

const { board, operator, viewer, seed, statesOf, text } = await openOps();

describe('retry of a filtered set', () => {
  const seedFailures = async () => {
    for (let n = 0; n < 3; n++) await seed({ state: 'failed', reason: 'network' });
    await seed({ state: 'failed', reason: 'network', verification: 'expired' });
    await seed({ state: 'failed', reason: 'network' }, 'taxi');
    await seed({ state: 'rejected', reason: 'landline' });
    await seed({ state: 'completed', verification: 'approved' });
    board.time.now = new Date(board.time.now.getTime() + 10);
  };

  /** The board's clock is ahead, so that the first of them may sleep for a moment. */
  const entries = async () => {
    const queues = Object.values(board.queues.of);
    const counts = await Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'delayed')));
    return counts.reduce((sum, count) => sum + count, 0);
  };

  test('counts first and changes nothing', async () => {
    await seedFailures();
    const before = await statesOf();
    const dry = await operator.json('/ops/retry?project=shop&reason=network&hours=1');
    expect(dry).toMatchObject({
      dry_run: true,
      matching: 4,
      retriable: 3,
      retried: 0,
      by_reason: [{ state: 'failed', reason: 'network', jobs: 4, retriable: 3 }],
    });
    expect(
      (await operator.postJson('/ops/retry', { project: 'shop', reason: 'network', hours: 1 })).body,
    ).toMatchObject({ dry_run: true, retriable: 3 });
    expect(await statesOf()).toEqual(before);
  });

  test('takes what was counted and nothing else, issues the queue entries, and is audited', async () => {
    await seedFailures();
    const page = await operator
      .get('/ops/retry?project=shop&reason=network&hours=1')
      .set('Accept', 'text/html');
    expect(page.text).toContain('Retry 3 jobs');
    const fields = Object.fromEntries(
      [...page.text.matchAll(/type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    expect(fields).toMatchObject({ project: 'shop', reason: 'network', confirm: 'yes' });
    // Failed after the count: nobody has looked at it.
    board.time.now = new Date(board.time.now.getTime() + 1_000);
    const late = await seed({ state: 'failed', reason: 'network', at: board.time.now });

    const { token: _token, ...filter } = fields;
    const done = await operator.post('/ops/retry', filter);
    expect(done.text).toContain('3 jobs were accepted again');
    const waiting = /href="([^"]*)">Jobs that wait now/.exec(done.text)?.[1] ?? '';
    expect(ids(await viewer.json(waiting))).toHaveLength(3);
    expect(await statesOf()).toEqual({ queued: 3, failed: 3, rejected: 1, completed: 1 });
    expect((await viewer.json(`/ops/jobs/${late.id}`)).state).toBe('failed');
    expect(await entries()).toBe(3);
    expect((await board.audit()).at(-1)).toMatchObject({
      actor: operator.email,
      action: 'jobs.retry',
      detail: { outcome: 'done', jobs: 3, filter: { project: 'shop', reason: 'network' } },
    });
    expect(
      (
        await operator.postJson('/ops/retry', {
          project: 'shop',
          reason: 'network',
          hours: 1,
          until: fields['until'],
          confirm: true,
        })
      ).body,
    ).toMatchObject({ retried: 0, more: false });
  });

  test('stops at its bound, and a second run takes the rest', async () => {
    const { id } = await seed({ state: 'failed', reason: 'network' });
    const jobs = RETRY_RUN_MAX + 7;
    // What the table makes of the others can't be inserted.
    const { rows } = await board.pool.query<{ name: string }>(
      `select quote_ident(column_name) "name" from information_schema.columns where table_name = 'job' and is_generated = 'NEVER'`,
    );
    const columns = rows.map(({ name }) => name);
    await board.pool.query(
      `with made as (
         select uuidv7() job_id, uuidv7() verification_id, decode(lpad(to_hex(n), 64, '0'), 'hex') hash from generate_series(2, $2) n),
       copied as (
         insert into verification select (v).* from (
           select jsonb_populate_record(v, jsonb_build_object('id', m.verification_id, 'job_id', m.job_id, 'address_hash', m.hash)) v
             from made m, verification v where v.job_id = $1) c)
       insert into job (${columns.join(', ')}) select ${columns.map((name) => `(j).${name}`).join(', ')} from (
         select jsonb_populate_record(j, jsonb_build_object('id', m.job_id, 'subject_id', m.verification_id, 'address_hash', m.hash)) j
           from made m, job j where j.id = $1) c`,
      [id, jobs],
    );
    board.time.now = new Date(Math.max(Date.now(), board.time.now.getTime()) + 50);
    const first = await operator.postJson('/ops/retry', { hours: 1, confirm: true });
    expect(first.body).toMatchObject({ retried: RETRY_RUN_MAX, more: true, told: true });
    const second = await operator.postJson('/ops/retry', { hours: 1, confirm: true });
    expect(second.body).toMatchObject({ retried: 7, more: false });
    expect(await statesOf()).toEqual({ queued: jobs });
    expect(await entries()).toBe(jobs);
    expect((await board.pool.query('select from outbox where published_at is null')).rowCount).toBe(0);
  });
});

describe('a filtered retry', () => {
  test('leaves out what a retry alone cannot help, unless staff name its reason', async () => {
    await seed({ state: 'failed', reason: 'network' });
    await seed({ state: 'rejected', reason: 'credentials' });
    await seed({ state: 'rejected', reason: 'landline' });
    board.time.now = new Date(board.time.now.getTime() + 10);
    expect(await operator.json('/ops/retry?hours=1')).toMatchObject({
      matching: 3,
      retriable: 1,
      permanent: 2,
    });
    expect(await text('/ops/retry?hours=1')).toContain('Retry 1 jobs');
    expect(await operator.json('/ops/retry?hours=1&reason=credentials')).toMatchObject({
      retriable: 1,
      permanent: 0,
    });
    const until = board.time.now.toISOString();
    const { body } = await operator.postJson('/ops/retry', { hours: 1, until, confirm: true });
    expect(body).toMatchObject({ retried: 1 });
  });
});

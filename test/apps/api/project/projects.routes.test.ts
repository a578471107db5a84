import { describe, expect, test } from 'vitest';
import { ProjectSettings } from '../../../../domain/settings.ts';
import { makeProject } from '../../../support/api.ts';
import { openProjects } from './open-projects.ts';

const { ground, call } = await openProjects();

test("a key sees its own project and no other's", async () => {
  const { project, key } = await makeProject(ground, 'mine');
  const { project: other, keyId: otherKeyId } = await makeProject(ground, 'theirs');
  const { body } = await call(key, 'get', '/projects').expect(200);
  expect(body.data.map(({ slug }: { slug: string }) => slug)).toEqual(['mine']);
  await call(key, 'get', `/projects/${project.id}`).expect(200);

  for (const path of ['', '/usage', '/keys'])
    await call(key, 'get', `/projects/${other.id}${path}`).expect(404);
  await call(key, 'patch', `/projects/${other.id}`)
    .send({ settings: { sends_per_hour: 1 } })
    .expect(404);
  await call(key, 'post', `/projects/${other.id}/keys`).send({}).expect(404);
  await call(key, 'delete', `/projects/${other.id}/keys/${otherKeyId}`).expect(404);
  await call(key, 'delete', `/projects/${project.id}/keys/${otherKeyId}`).expect(404);
  expect((await ground.projects.keys(other.id)).every(({ revokedAt }) => revokedAt === null)).toBe(true);
});

describe('settings', () => {
  test('change only where they are named, and null gives a default back', async () => {
    const { project, key } = await makeProject(ground, 'settings');
    const patch = (settings: object) => call(key, 'patch', `/projects/${project.id}`).send({ settings });
    await patch({ sends_per_hour: 9, locale: 'ru' }).expect(200);
    const { body } = await patch({ sends_per_hour: null, sms_countries: [] }).expect(200);
    const defaults = ProjectSettings.parse({});
    expect(body.settings).toEqual({ ...defaults, locale: 'ru', sms_countries: [] });
    const { rows } = await ground.pool.query('select settings from project where id = $1', [project.id]);
    expect(rows[0].settings).toEqual({ locale: 'ru', sms_countries: [] });
  });

  test('that do not fit are refused by name, and nothing changes', async () => {
    const { project, key } = await makeProject(ground, 'misfit');
    const settings = { sends_per_hour: 0, templates: { en: 'no code in it' }, nonsense: 1, locale: 'ru' };
    const { body } = await call(key, 'patch', `/projects/${project.id}`).send({ settings }).expect(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
      '/settings/nonsense',
      '/settings/sends_per_hour',
      '/settings/templates/en',
    ]);
    expect((await ground.projects.find(project.id))?.settings.locale).toBe('uz');
  });

  test('are told which texts are billed as more than one SMS', async () => {
    const { project, key } = await makeProject(ground, 'wordy');
    const change = (settings: object) =>
      call(key, 'patch', `/projects/${project.id}`).send({ settings }).expect(200);
    expect((await change({ display_name: 'Shop' })).body.warnings).toEqual([]);
    const long = await change({ templates: { ru: `{project}: {code}${' слово'.repeat(12)}` } });
    expect(long.body.warnings).toEqual([
      {
        pointer: '/settings/templates/ru',
        segments: 2,
        detail: expect.stringContaining('"Shop" (4 characters)'),
      },
    ]);
  });

  test('changed by twenty at once all come through', async () => {
    const { project } = await makeProject(ground, 'crowd');
    const names = [
      'sends_per_hour',
      'requests_per_minute',
      'sms_daily_budget_micros',
      'allow_short_codes',
    ] as const;
    const values = {
      sends_per_hour: 7,
      requests_per_minute: 7_777,
      sms_daily_budget_micros: 7,
      allow_short_codes: true,
    };
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => {
        const name = names[n % names.length] ?? 'sends_per_hour';
        return ground.projects.changeSettings(project.id, { [name]: values[name] });
      }),
    );
    expect((await ground.projects.find(project.id))?.settings).toMatchObject(values);
  });
});

describe('usage', () => {
  test('adds attempts that are rows to those that retention has counted, by UTC day', async () => {
    const { project, key } = await makeProject(ground, 'usage');
    const { project: other } = await makeProject(ground, 'usage-other');
    await seedUsage(project.id);
    await seedUsage(other.id);
    const { body } = await call(
      key,
      'get',
      `/projects/${project.id}/usage?from=2026-03-01&to=2026-03-02`,
    ).expect(200);
    expect(body.data).toEqual([
      { day: '2026-03-01', channel: 'sms', outcome: 'completed', attempts: 12, cost_micros: '1090000' },
      { day: '2026-03-01', channel: 'sms', outcome: 'rejected', attempts: 1, cost_micros: '0' },
      { day: '2026-03-02', channel: '', outcome: 'completed', attempts: 1, cost_micros: '0' },
    ]);
  });

  test('of a span that is backwards or too long is refused; of the longest it is not', async () => {
    const { project, key } = await makeProject(ground, 'span');
    const usage = (query: string) => call(key, 'get', `/projects/${project.id}/usage?${query}`);
    await usage('from=2026-03-02&to=2026-03-01').expect(400);
    await usage('from=2026-01-01&to=2026-04-03').expect(400);
    await usage('from=2026-01-01&to=2026-04-02').expect(200);
    await usage('from=2026-02-30').expect(400);
    await usage('from=0000-01-01&to=0000-01-02').expect(400);
    await usage('').expect(200);
  });
});

async function seedUsage(projectId: string): Promise<void> {
  const { pool } = ground;
  await pool.query(`insert into usage_day values ($1, '2026-03-01', 'sms', 'completed', 10, 1000000)`, [
    projectId,
  ]);
  const { rows } = await pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
     values (gen_random_uuid(), 'otp-send', $1, gen_random_uuid(), '{}', '{}', now(), now(), now()) returning id`,
    [projectId],
  );
  const attempts = [
    ['2026-03-01T00:00:00Z', 'sms', 'completed', 45_000],
    ['2026-03-01T23:59:59.999Z', 'sms', 'completed', 45_000],
    ['2026-03-01T12:00:00Z', 'sms', 'rejected', null],
    ['2026-03-02T12:00:00Z', null, 'completed', null],
    ['2026-03-02T12:00:00Z', 'sms', null, null],
    ['2026-03-03T00:00:00Z', 'sms', 'completed', 45_000],
    ['2026-02-28T23:59:59.999Z', 'sms', 'completed', 45_000],
  ];
  for (const [n, [openedAt, channel, outcome, cost]] of attempts.entries())
    await pool.query(
      `insert into attempt (job_id, n, project_id, channel, provider, opened_at, outcome, cost_micros, cost_currency)
       values ($1, $2, $3, $4, 'twilio', $5, $6, $7, 'USD')`,
      [rows[0].id, n + 1, projectId, channel, openedAt, outcome, cost],
    );
}

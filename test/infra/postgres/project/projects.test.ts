import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoutes } from '../../../../apps/api/project/projects.routes.ts';
import { usageReader } from '../../../../infra/postgres/project/usage.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../../support/api.ts';

let ground: Ground;
let api: TestApi;

beforeAll(async () => {
  ground = await openGround();
  api = openApi(ground, projectRoutes(ground.projects, usageReader(ground.pool)));
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const call = (key: string, method: 'get' | 'post' | 'patch' | 'put' | 'delete', path: string) =>
  request(api.app)[method](path).set('Authorization', `Bearer ${key}`);

describe('settings stay within the ceilings that staff set', () => {
  test('whatever a key asks for; the answer names the field, the ceiling and whom to ask', async () => {
    const { project, key } = await makeProject(ground, 'greedy', {}, { scopes: ['projects'] });
    const asked = {
      sms_daily_budget_micros: 9e15,
      sends_per_hour: 100,
      requests_per_minute: 10_000_000,
      sms_countries: ['UZ', 'GB'],
      locale: 'ru',
    };
    const { body } = await call(key, 'patch', `/projects/${project.id}`)
      .send({ settings: asked })
      .expect(422);
    expect(body.type).toBe('urn:navbat:problem:above-ceiling');
    expect(body.detail).toContain('staff of Navbat');
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
      '/settings/requests_per_minute',
      '/settings/sends_per_hour',
      '/settings/sms_countries',
      '/settings/sms_daily_budget_micros',
    ]);
    const { body: seen } = await call(key, 'get', `/projects/${project.id}`).expect(200);
    expect(seen.settings).toMatchObject({ locale: 'uz', sends_per_hour: 5 });
    expect(seen.ceilings).toMatchObject({ sends_per_hour: 10, rows_kept: 5_000_000, test_rows: 20_000 });
    expect(seen.rows).toEqual({ queued: 0, kept: 0, test: 0, people: 0 });
    await call(key, 'patch', `/projects/${project.id}`)
      .send({ ceilings: { sends_per_hour: 100 } })
      .expect(400);
  });

  test('up to a raised one, and come down with a lowered one, a default too', async () => {
    const { project, key } = await makeProject(ground, 'raised');
    const patch = (settings: object) => call(key, 'patch', `/projects/${project.id}`).send({ settings });
    await ground.projects.changeCeilings(project.id, { sends_per_hour: 50, sms_countries: ['UZ', 'KZ'] });
    await patch({ sends_per_hour: 50, sms_countries: ['KZ', 'UZ'] }).expect(200);
    await patch({ sends_per_hour: 51 }).expect(422);
    const lowered = await ground.projects.changeCeilings(project.id, {
      sends_per_hour: 3,
      requests_per_minute: 600,
      sms_countries: null,
    });
    expect(lowered?.lowered.toSorted()).toEqual(['requests_per_minute', 'sends_per_hour', 'sms_countries']);
    const { body } = await patch({ sends_per_hour: null, requests_per_minute: null }).expect(200);
    expect(body.settings).toMatchObject({
      sends_per_hour: 3,
      requests_per_minute: 600,
      sms_countries: ['UZ'],
    });
  });

  test('also where a ceiling is lowered while twenty requests raise the setting', async () => {
    const { project, key } = await makeProject(ground, 'racing');
    const raising = Array.from({ length: 20 }, () =>
      call(key, 'patch', `/projects/${project.id}`).send({ settings: { sends_per_hour: 10 } }),
    );
    await Promise.all([...raising, ground.projects.changeCeilings(project.id, { sends_per_hour: 2 })]);
    expect((await ground.projects.find(project.id))?.settings).toMatchObject({ sends_per_hour: 2 });
  });
});

import request from 'supertest';
import { afterAll } from 'vitest';
import { keyRoutes } from '../../../../apps/api/project/keys.routes.ts';
import { projectRoutes } from '../../../../apps/api/project/projects.routes.ts';
import { usageReader } from '../../../../infra/postgres/project/usage.ts';
import { openApi, openGround } from '../../../support/api.ts';

/** An intake of this file's own with the routes of projects and their keys. */
export async function openProjects() {
  const ground = await openGround();
  const api = openApi(ground, [
    ...projectRoutes(ground.projects, usageReader(ground.pool)),
    ...keyRoutes(ground.projects),
  ]);
  afterAll(async () => {
    await api.close();
    await ground.close();
  });
  const call = (key: string, method: 'get' | 'post' | 'patch' | 'delete', path: string) =>
    request(api.app)[method](path).set('Authorization', `Bearer ${key}`);
  return { ground, call };
}

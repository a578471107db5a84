import { describe, expect, test } from 'vitest';
import { staffRoles } from '../../../domain/staff/role.ts';
import { openOps } from './ops/open-ops.ts';

const { board, viewer, seed } = await openOps();

test('a page that does not exist is 404 and no offence', async () => {
  const before = (await board.audit()).length;
  expect((await viewer.get('/ops/typo')).status).toBe(404);
  expect((await viewer.get('/ops/jobs/typo/typo')).status).toBe(404);
  expect(await board.audit()).toHaveLength(before);
});

describe('the row of a refused request keeps 200 signs of its path', () => {
  const long = 'x'.repeat(300);
  test.each([
    ['that the role forbids', 'viewer', `/api/queues/otp-send/${long}/retry`, 'x'.repeat(200)],
    [
      'that nobody may make',
      'admin',
      `/api/queues/otp-send/${long}/eat`,
      `PUT /api/queues/otp-send/${long}`.slice(0, 200),
    ],
  ] as const)('%s', async (_what, role, path, subject) => {
    const owner = await board.session(role);
    expect((await owner.put(path, { why: 'a test' })).status).toBe(403);
    expect((await board.audit()).at(-1)).toMatchObject({ actor: owner.email, subject });
  });

  test('that another site sent', async () => {
    const owner = await board.session('admin');
    const path = `/api/queues/otp-send/${long}/retry`;
    await owner.put(path).set('Sec-Fetch-Site', 'cross-site').expect(403);
    expect((await board.audit()).at(-1)).toMatchObject({
      actor: owner.email,
      subject: `PUT ${path}`.slice(0, 200),
    });
  });
});

describe('roles', () => {
  const changes = { admin: true, operator: true, finance: false, developer: false, viewer: false };
  const oversees = { admin: true, operator: true, finance: true, developer: false, viewer: false };

  test.each(staffRoles)('%s may do what its role says, and no more', async (role) => {
    const owner = await board.session(role);
    const { id } = await seed({ state: 'rejected' });
    const asked = [
      `/api/queues/otp-send/${id}/retry`,
      `/api/queues/otp-send/${id}/promote`,
      `/api/queues/otp-send/${id}/clean`,
      '/api/queues/otp-send/pause',
      '/api/queues/otp-send/resume',
    ];
    for (const path of asked) {
      const { status } = await owner.put(path, { why: 'a test' });
      expect([path, status === 403]).toEqual([path, !changes[role]]);
    }
    const refusals = (await board.audit()).filter(
      ({ actor, detail }) => actor === owner.email && detail['reason'] === 'role',
    );
    expect(refusals).toHaveLength(changes[role] ? 0 : asked.length);
    expect((await viewer.json(`/ops/jobs/${id}`)).state).toBe(changes[role] ? 'cancelled' : 'rejected');
    expect((await owner.get('/api/queues')).status).toBe(200);
    expect((await owner.get('/ops')).status).toBe(200);
    expect((await owner.get('/ops/audit')).status).toBe(oversees[role] ? 200 : 403);
    expect((await owner.post('/ops/retry', { confirm: 'yes' })).status).toBe(changes[role] ? 200 : 403);
    expect((await owner.post('/ops/queues/otp-send/pause', { why: 'a test' })).status).toBe(
      changes[role] ? 303 : 403,
    );
    expect((await board.pool.query('select from queue where paused_at is not null')).rowCount).toBe(
      changes[role] ? 1 : 0,
    );
  });
});

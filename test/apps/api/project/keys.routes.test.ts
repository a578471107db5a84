import { describe, expect, test } from 'vitest';
import { makeKey, makeProject } from '../../../support/api.ts';
import { openProjects } from './open-projects.ts';

const { ground, call } = await openProjects();

describe('keys', () => {
  test('are shown once, listed by their end, and open their project at once', async () => {
    const { project, key } = await makeProject(ground, 'keys');
    const made = await call(key, 'post', `/projects/${project.id}/keys`)
      .send({ mode: 'test', scopes: ['projects'] })
      .expect(201);
    expect(made.body.key).toMatch(/^nbt_test_[A-Za-z0-9_-]{32}$/);
    await call(made.body.key, 'get', `/projects/${project.id}`).expect(200);
    const listed = await call(key, 'get', `/projects/${project.id}/keys`).expect(200);
    expect(JSON.stringify(listed.body)).not.toContain(made.body.key);
    expect(listed.body.data[0]).toMatchObject({
      id: made.body.id,
      hint: made.body.key.slice(-4),
      revoked_at: null,
    });
    const { rows } = await ground.pool.query(
      'select row_to_json(api_key)::text as row from api_key where id = $1',
      [made.body.id],
    );
    expect(rows[0].row).not.toContain(made.body.key.slice('nbt_test_'.length));
  });

  test('five of a sort are active at a time, also when ten are asked for at once, each by its name', async () => {
    const { project, key } = await makeProject(ground, 'rotation');
    const make = (name = 'billing') => call(key, 'post', `/projects/${project.id}/keys`).send({ name });
    const made = await Promise.all(Array.from({ length: 10 }, () => make()));
    const good = made.filter(({ status }) => status === 201);
    expect(good).toHaveLength(4);
    expect(made.filter(({ status }) => status === 409)).toHaveLength(6);
    await call(key, 'post', `/projects/${project.id}/keys`).send({ access: 'publishable' }).expect(201);
    await call(key, 'delete', `/projects/${project.id}/keys/${good[0]?.body.id}`).expect(204);
    await make('mail\n').expect(400);
    await make('mail').expect(201);
    const { body } = await call(key, 'get', `/projects/${project.id}/keys`).expect(200);
    expect(body.data[0].name).toBe('mail');
    expect(body.data.at(-1).name).toBeNull();
  });

  test('an expired one makes room, and none is made that has expired', async () => {
    const { project, key } = await makeProject(ground, 'expiry');
    const { keyId } = await makeKey(ground, project.id, { expiresAt: new Date(Date.now() + 60_000) });
    for (let n = 0; n < 3; n++) await makeKey(ground, project.id);
    await call(key, 'post', `/projects/${project.id}/keys`).send({}).expect(409);
    await ground.owner.query('update api_key set expires_at = now() where id = $1', [keyId]);
    await call(key, 'post', `/projects/${project.id}/keys`)
      .send({ expires_at: '2020-01-01T00:00:00Z' })
      .expect(400);
    await call(key, 'post', `/projects/${project.id}/keys`)
      .send({ expires_at: '2100-01-01T05:00:00+05:00' })
      .expect(201);
  });

  test('made by a key can do no more than that key', async () => {
    const { project, key } = await makeProject(ground, 'ladder', {}, { scopes: ['projects', 'jobs'] });
    const make = (body: object) => call(key, 'post', `/projects/${project.id}/keys`).send(body);
    await make({ mode: 'live', scopes: ['otp'] }).expect(403);
    await make({ mode: 'test', scopes: ['otp'] }).expect(403);
    const test = await make({ mode: 'test', scopes: ['projects', 'jobs'] }).expect(201);
    await call(test.body.key, 'post', `/projects/${project.id}/keys`).send({}).expect(403);
  });

  test('that expire make none that last longer, and a key that was just revoked makes none at all', async () => {
    const { project, key } = await makeProject(ground, 'short-lived');
    const soon = new Date(Date.now() + 3_600_000);
    const guest = await makeKey(ground, project.id, { expiresAt: soon });
    const make = (expiresAt: unknown) =>
      call(guest.key, 'post', `/projects/${project.id}/keys`).send({ expires_at: expiresAt });
    await make(null).expect(403);
    await make(new Date(soon.getTime() + 1)).expect(403);
    await make(soon).expect(201);
    // The directory remembers it for seconds still.
    await call(key, 'delete', `/projects/${project.id}/keys/${guest.keyId}`).expect(204);
    await make(soon).expect(403);
    await call(guest.key, 'delete', `/projects/${project.id}/keys/${guest.keyId}`).expect(403);
  });

  test('with projects alone revoke no key that can do more', async () => {
    const { project, keyId: full } = await makeProject(ground, 'coup');
    const { key, keyId } = await makeKey(ground, project.id, { scopes: ['projects'] });
    const { keyId: codes } = await makeKey(ground, project.id, { scopes: ['otp'] });
    const revoke = (id: string) => call(key, 'delete', `/projects/${project.id}/keys/${id}`);
    await revoke(full).expect(403);
    await revoke(codes).expect(403);
    await revoke(keyId).expect(204);
    const standing = (await ground.projects.keys(project.id)).filter(({ revokedAt }) => revokedAt === null);
    expect(standing.map(({ id }) => id).toSorted()).toEqual([full, codes].toSorted());
  });

  test('of two full ones that revoke each other and themselves at once, one stands', async () => {
    const { project, key, keyId } = await makeProject(ground, 'duel');
    const other = await makeKey(ground, project.id);
    const revoke = (by: string, id: string) => call(by, 'delete', `/projects/${project.id}/keys/${id}`);
    await Promise.all([
      revoke(key, other.keyId),
      revoke(other.key, keyId),
      revoke(key, keyId),
      revoke(other.key, other.keyId),
    ]);
    const standing = (await ground.projects.keys(project.id)).filter(({ revokedAt }) => revokedAt === null);
    expect(standing).toHaveLength(1);
    const last = standing[0]?.id ?? '';
    const { body } = await revoke(last === keyId ? key : other.key, last).expect(409);
    expect(body.type).toBe('urn:navbat:problem:last-full-key');
  });

  test('revoking twice changes nothing the second time', async () => {
    const { project, key } = await makeProject(ground, 'twice');
    const { keyId } = await makeKey(ground, project.id);
    const path = `/projects/${project.id}/keys/${keyId}`;
    await call(key, 'delete', path).expect(204);
    const first = (await ground.projects.keys(project.id)).find(({ id }) => id === keyId);
    await call(key, 'delete', path).expect(204);
    expect((await ground.projects.keys(project.id)).find(({ id }) => id === keyId)).toEqual(first);
  });
});

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { definePersonRoute } from '../../../apps/http/route.ts';
import { FAILED_AUTHENTICATIONS_PER_MINUTE } from '../../../domain/project/quota.ts';
import { SessionId } from '../../../domain/identity/session/session.ts';
import { ProjectId } from '../../../domain/shared/ids.ts';
import { RecipientId } from '../../../domain/identity/recipient/recipient.ts';
import { sessionTokens } from '../../../infra/identity/access-tokens.ts';
import { personTokens, publicKeys } from '../../../infra/identity/person-tokens.ts';
import { type Ground, makeKey, makeProject, openApi, openGround } from '../../support/api.ts';
import { openWhoCalls, routes } from '../../support/who-calls.ts';

const { ground, api, get } = await openWhoCalls();

describe('a key', () => {
  test('opens its own project, as a bearer token or in a header of its own', async () => {
    const { key } = await makeProject(ground, 'one');
    expect((await get(key).expect(200)).body).toEqual({ slug: 'one', mode: 'live', access: 'secret' });
    expect((await request(api.app).get('/service').set('X-Api-Key', key).expect(200)).body.slug).toBe('one');
    await request(api.app).get('/service').set('Authorization', `bearer ${key}`).expect(200);
  });

  test('that is absent, malformed or unknown opens nothing and is challenged', async () => {
    const absent = await request(api.app).get('/service').expect(401);
    expect(absent.headers['www-authenticate']).toBe('Bearer realm="navbat"');
    for (const wrong of [
      'nbt_live_doesnotexistatall',
      'short',
      'nbt_live_a\u00e9bcdefghijklmnop'.slice(0, 12),
    ]) {
      const refused = await get(wrong).expect(401);
      expect(refused.headers['www-authenticate']).toContain('invalid_token');
    }
    await request(api.app).get('/service').set('Authorization', 'Basic bmJ0OmxpdmU=').expect(401);
  });

  test('that has expired, was revoked, or whose project is archived reads as unknown', async () => {
    const { project, key: archived } = await makeProject(ground, 'gone');
    const { key: revoked, keyId } = await makeKey(ground, project.id);
    await ground.projects.revokeKey(project.id, keyId, new Date());
    await ground.projects.archive(project.id, new Date());
    const { project: living, key: fresh, keyId: freshId } = await makeProject(ground, 'living');
    await ground.owner.query('update api_key set expires_at = now() where id = $1', [freshId]);
    const bodies = await Promise.all(
      [archived, revoked, fresh, 'nbt_live_neverexistedatall'].map(
        async (key) => (await get(key).expect(401)).body,
      ),
    );
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(living.slug).toBe('living');
  });
});

describe('what a key reaches', () => {
  test('a publishable key reaches public routes only, a secret key those too', async () => {
    const { project, key: secret } = await makeProject(ground, 'reach');
    const { key: open } = await makeKey(ground, project.id, { access: 'publishable' });
    expect((await get(open, '/open').expect(200)).body.access).toBe('publishable');
    expect((await get(open, '/service').expect(403)).body.type).toMatch(/insufficient-scope$/);
    await get(secret, '/open').expect(200);
  });

  test('a publishable key reaches public routes only, whatever scopes its row holds', async () => {
    const { project } = await makeProject(ground, 'tampered');
    const { key, keyId } = await makeKey(ground, project.id, { access: 'publishable' });
    await ground.owner.query(`update api_key set scopes = '{otp,public}' where id = $1`, [keyId]);
    await get(key, '/service').expect(403);
  });

  test('a secret key without the scope is refused', async () => {
    const { key } = await makeProject(ground, 'narrow', {}, { scopes: ['jobs'] });
    await get(key).expect(403);
  });
});

test('wrong keys from one address are slowed after thirty in a minute; a good key at that address is not', async () => {
  const own = await openGround();
  const lone = openApi(own, routes);
  await lone.connected;
  const { key } = await makeProject(own, 'neighbour');
  const statuses = [];
  for (let tries = 0; tries <= FAILED_AUTHENTICATIONS_PER_MINUTE; tries++)
    statuses.push(
      (await get(`nbt_live_wrong${String(tries).padStart(20, '0')}`, '/service', lone.app)).status,
    );
  expect(statuses.slice(0, -1).every((status) => status === 401)).toBe(true);
  expect(statuses.at(-1)).toBe(429);
  await get(key, '/service', lone.app).expect(200);
  await lone.close();
  await own.close();
});

describe('what is no guess is 401 each time', () => {
  const newJwk = (kid: string) => ({
    ...(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as { x: string; d: string }),
    kty: 'OKP' as const,
    crv: 'Ed25519' as const,
    kid,
  });
  const TRIES = FAILED_AUTHENTICATIONS_PER_MINUTE + 10;
  const whoAmI = definePersonRoute({
    method: 'get',
    path: '/me',
    tag: 'Test',
    summary: 'Says who calls',
    session: 'project',
    answers: {},
    handle: async ({ person }) => ({ status: 200, body: { id: person.personId } }),
  });
  const ofSession = {
    sessionId: SessionId.parse(randomUUID()),
    projectId: ProjectId.parse(randomUUID()),
    recipientId: RecipientId.parse(randomUUID()),
    mode: 'live',
    method: 'code',
    authenticatedAt: new Date(),
  } as const;

  /** Statuses of as many requests, one after the other, at an intake of their own. */
  async function statusesOf(bearer: (own: Ground) => Promise<string>, path: string): Promise<number[]> {
    const own = await openGround();
    const jwk = newJwk('j1');
    const persons = await personTokens(publicKeys({ JWT_PRIVATE_JWK: jwk }), own.pool);
    const lone = openApi(own, [...routes, whoAmI], [], persons);
    tokensOfOurs = await sessionTokens(jwk);
    const token = await bearer(own);
    await lone.connected;
    const statuses = [];
    for (let n = 0; n < TRIES; n++) statuses.push((await get(token, path, lone.app)).status);
    await lone.close();
    await own.close();
    return statuses;
  }
  let tokensOfOurs: Awaited<ReturnType<typeof sessionTokens>>;
  const always401 = Array.from({ length: TRIES }, () => 401);

  test('an access token of ours that has expired', async () => {
    expect(await statusesOf(() => tokensOfOurs.issue(ofSession, new Date(0)), '/me')).toEqual(always401);
  });

  test('an access token of ours whose session has ended', async () => {
    expect(await statusesOf(() => tokensOfOurs.issue(ofSession, new Date()), '/me')).toEqual(always401);
  });

  test('an API key of ours that was revoked', async () => {
    const revoked = async (own: Ground) => {
      const { project, key, keyId } = await makeProject(own, 'revoked-often');
      await own.projects.revokeKey(project.id, keyId, new Date());
      return key;
    };
    expect(await statusesOf(revoked, '/service')).toEqual(always401);
  });

  test('while a token that we never signed is counted, under a known key id too', async () => {
    const forged = async () => (await sessionTokens(newJwk('j1'))).issue(ofSession, new Date());
    const statuses = await statusesOf(forged, '/me');
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
  });
});

import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { RecipientId } from '../../../domain/identity/recipient/recipient.ts';
import { SessionId, signInMethods } from '../../../domain/identity/session/session.ts';
import { ProjectId } from '../../../domain/shared/ids.ts';
import { accessTokens, audienceOf, sessionTokens } from '../../../infra/identity/access-tokens.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';

const now = new Date('2026-01-15T10:00:00.700Z');
const { JWT_PRIVATE_JWK: jwk } = readConfig({ ...newSecrets(now) }, ['JWT_PRIVATE_JWK']);
const { d: _d, ...publicHalf } = jwk;
const projectId = ProjectId.parse('01990000-0000-7000-8000-000000000001');
const recipientId = RecipientId.parse('01990000-0000-7000-8000-000000000002');
const sessionId = SessionId.parse('01990000-0000-7000-8000-000000000003');
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const read = async (token: string, when = now) =>
  (await jwtVerify(token, await importJWK(publicHalf, 'EdDSA'), { currentDate: when })).payload;

describe('a token of a phone’s user', () => {
  const issue = async (mode: 'live' | 'test') =>
    (await accessTokens(jwk)).issue({ id: 'u', phone: '+998901234567' }, projectId, mode, now);

  test('is for its project alone, lives for an hour and tells no phone', async () => {
    const token = await issue('live');
    const claims = await read(token);
    expect(claims).toMatchObject({ sub: 'u', aud: projectId, iss: 'navbat' });
    expect(JSON.stringify(claims)).not.toContain('998');
    expect(await read(token, at(3_598))).toBeDefined();
    await expect(read(token, at(3_600))).rejects.toThrow(/exp/);
  });

  test('of a test key is for nobody at the live one', async () => {
    expect((await read(await issue('test'))).aud).toBe(`test:${projectId}`);
    expect(audienceOf({ projectId, mode: 'test' })).not.toBe(audienceOf({ projectId, mode: 'live' }));
  });
});

describe('a token of a session', () => {
  const session = { sessionId, projectId, mode: 'live', recipientId, authenticatedAt: at(-60.5) } as const;

  test('names the session, the project’s own handle and when its person proved themselves', async () => {
    const token = await (await sessionTokens(jwk)).issue({ ...session, method: 'code' }, now);
    expect(await read(token)).toMatchObject({
      sub: recipientId,
      aud: projectId,
      sid: sessionId,
      auth_time: Math.floor(at(-60.5).getTime() / 1_000),
    });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', kid: jwk.kid, typ: 'JWT' });
    await expect(read(token, at(600))).rejects.toThrow(/exp/);
  });

  test('says by which method, each in a way of its own', async () => {
    const tokens = await sessionTokens(jwk);
    const methods = await Promise.all(
      signInMethods.map(async (method) =>
        JSON.stringify((await read(await tokens.issue({ ...session, method }, now)))['amr']),
      ),
    );
    expect(new Set(methods).size).toBe(signInMethods.length);
  });
});

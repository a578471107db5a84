import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  REFRESH_RETRY_SECONDS,
  SESSION_IDLE_SECONDS,
  SESSION_LIFE_SECONDS,
  SESSIONS_MAX,
  type SignedIn,
} from '../../../../../domain/identity/session/sessions.ts';
import { DeviceId } from '../../../../../domain/identity/device/device.ts';
import { sessionTokens } from '../../../../../infra/identity/access-tokens.ts';
import { keyedHash } from '../../../../../infra/process/crypto.ts';
import { personTokens, publicKeys } from '../../../../../infra/identity/person-tokens.ts';
import { sessions } from '../../../../../infra/postgres/identity/session/sessions.ts';
import { later, now, openSessions } from './open-sessions.ts';

const { jwk, hash, pool, store, newSignedIn, rowOf } = await openSessions();
const tokens = await personTokens(publicKeys({ JWT_PRIVATE_JWK: jwk }), pool);

let signedIn: SignedIn;
beforeEach(async () => {
  signedIn = await newSignedIn();
});

async function refreshed(token: string, at: Date) {
  const answer = await store.refresh(token, at);
  if (!answer.refreshed) throw new Error(`not refreshed: ${answer.because}`);
  return answer.grant;
}

describe('a refresh token', () => {
  test('is good for the next one, which is another, for the same session', async () => {
    const first = await store.open(signedIn, now);
    const second = await refreshed(first.refreshToken, later(60));
    expect(second).toMatchObject({ sessionId: first.sessionId, recipientId: signedIn.recipientId });
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const third = await refreshed(second.refreshToken, later(120));
    expect(await rowOf(third.sessionId)).toMatchObject({ generation: 2, revoked_at: null });
  });

  test('that is brought again while its successor is unused gives the same one, for ten minutes and no longer', async () => {
    const first = await store.open(signedIn, now);
    const second = await refreshed(first.refreshToken, now);
    await refreshed(first.refreshToken, later(22));
    const again = await refreshed(first.refreshToken, later(REFRESH_RETRY_SECONDS));
    expect(again.refreshToken).toBe(second.refreshToken);
    expect(await rowOf(first.sessionId)).toMatchObject({ generation: 1, revoked_at: null });

    expect(await store.refresh(first.refreshToken, later(REFRESH_RETRY_SECONDS + 0.001))).toEqual({
      refreshed: false,
      because: 'reused',
    });
    expect(await rowOf(first.sessionId)).toMatchObject({ revoked_because: 'reused' });
  });

  test('whose reuse is found ends the session for all who hold a token of it', async () => {
    const first = await store.open(signedIn, now);
    const second = await refreshed(first.refreshToken, later(1));
    const third = await refreshed(second.refreshToken, later(2));
    // Two refreshes ago, and so nobody's lost answer, however little time has passed.
    expect(await store.refresh(first.refreshToken, later(3))).toMatchObject({ because: 'reused' });
    for (const token of [first, second, third])
      expect((await store.refresh(token.refreshToken, later(4))).refreshed).toBe(false);
    expect(await tokens.read(third.accessToken, later(4))).toEqual({ kind: 'ended' });
  });

  test('whose successor was used once is reuse a moment later, fifty at once too', async () => {
    const first = await store.open(signedIn, now);
    const second = await refreshed(first.refreshToken, later(1));
    const both = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        store.refresh((n % 2 ? first : second).refreshToken, later(1 + n / 100)),
      ),
    );
    // Whatever came first, the parent ended the session as soon as the successor had been used.
    expect(both.filter((each, n) => n % 2 === 0 && each.refreshed).length).toBeGreaterThan(0);
    expect(await store.refresh(first.refreshToken, later(3))).toMatchObject({ refreshed: false });
    expect(await rowOf(first.sessionId)).toMatchObject({ revoked_because: 'reused' });
  });

  test('of an archived project gives no successor again', async () => {
    const first = await store.open(signedIn, now);
    await refreshed(first.refreshToken, now);
    await pool.query('update project set archived_at = $2 where id = $1', [signedIn.projectId, now]);
    expect((await store.refresh(first.refreshToken, later(1))).refreshed).toBe(false);
  });

  test('that fifty bring at one moment has one successor', async () => {
    const first = await store.open(signedIn, now);
    const grants = await Promise.all(
      Array.from({ length: 50 }, () => refreshed(first.refreshToken, later(600))),
    );
    expect(new Set(grants.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    expect(await rowOf(first.sessionId)).toMatchObject({ generation: 1, revoked_at: null });
  });

  test('is nobody’s once a character of it is another, or another key made it', async () => {
    const { refreshToken, sessionId } = await store.open(signedIn, now);
    const other = sessions({
      pool,
      hash: keyedHash(randomBytes(32).toString('base64url')),
      tokens: await sessionTokens(jwk),
    });
    const foreign = await other.open(signedIn, now);
    const bytes = Buffer.from(refreshToken, 'base64url');
    const changed = [0, 16, 19, 20, 51].map((at) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy.toString('base64url');
    });
    for (const text of [...changed, foreign.refreshToken, refreshToken.slice(0, -2), `${refreshToken}AA`, ''])
      expect(await store.refresh(text, now), text).toEqual({ refreshed: false, because: 'ended' });
    // What is made for an address under the same pepper is no token either.
    const name = bytes.subarray(0, 20);
    const borrowed = Buffer.concat([name, hash('address', name.toString('hex'))]).toString('base64url');
    expect(await store.refresh(borrowed, now)).toEqual({ refreshed: false, because: 'ended' });
    expect(await rowOf(sessionId)).toMatchObject({ generation: 0, revoked_at: null });
  });

  test('stands in no table', async () => {
    const { refreshToken, sessionId } = await store.open(signedIn, now);
    const mac = Buffer.from(refreshToken, 'base64url').subarray(20).toString('hex');
    const { rows } = await pool.query('select s::text as row from session s where id = $1', [sessionId]);
    expect(rows[0].row).not.toContain(mac);
    expect(rows[0].row).not.toContain(refreshToken);
  });
});

describe('a session', () => {
  test('lives for thirty days after its last refresh, and for half a year at most', async () => {
    const first = await store.open(signedIn, now);
    expect((await store.refresh(first.refreshToken, later(SESSION_IDLE_SECONDS))).refreshed).toBe(false);
    expect(await rowOf(first.sessionId)).toMatchObject({ revoked_at: null });

    let grant = first;
    for (let day = 29; day < 180; day += 29) grant = await refreshed(grant.refreshToken, later(day * 86_400));
    expect(await rowOf(first.sessionId)).toMatchObject({ expires_at: later(SESSION_LIFE_SECONDS) });
    expect((await store.refresh(grant.refreshToken, later(SESSION_LIFE_SECONDS))).refreshed).toBe(false);
  });

  test('is refused at once when it has ended, and opens nothing where its project is archived', async () => {
    const { personId, projectId } = signedIn;
    const ended = await store.open(signedIn, now);
    expect(await tokens.read(ended.accessToken, now)).toMatchObject({
      kind: 'valid',
      person: { personId, projectId },
    });
    expect(await store.end({ personId, projectId }, ended.sessionId, 'ended', now)).toBe(true);
    expect(await tokens.read(ended.accessToken, now)).toEqual({ kind: 'ended' });
    expect(await store.refresh(ended.refreshToken, now)).toEqual({ refreshed: false, because: 'ended' });
    expect(await store.end({ personId, projectId }, ended.sessionId, 'ended', now)).toBe(false);

    const other = await store.open(signedIn, now);
    await pool.query('update project set archived_at = $2 where id = $1', [projectId, now]);
    expect(await tokens.read(other.accessToken, now)).toEqual({ kind: 'ended' });
    expect((await store.refresh(other.refreshToken, now)).refreshed).toBe(false);
  });

  test('opens nothing where its device was revoked while it was being opened', async () => {
    const deviceId = DeviceId.parse(randomUUID());
    await pool.query(
      `insert into device (id, person_id, kind, name, created_at, bound_at, revoked_at) values ($1, $2, 'authenticator', 'lost', $3, $3, $3)`,
      [deviceId, signedIn.personId, now],
    );
    const grant = await store.open({ ...signedIn, deviceId, method: 'device' }, now);
    expect(await tokens.read(grant.accessToken, now)).toEqual({ kind: 'ended' });
    expect(await store.refresh(grant.refreshToken, later(60))).toEqual({
      refreshed: false,
      because: 'ended',
    });
  });

  test('of another person, or of another project, is not there', async () => {
    const { sessionId } = await store.open(signedIn, now);
    const stranger = await newSignedIn(signedIn.projectId);
    expect(await store.end({ ...stranger, projectId: null }, sessionId, 'ended', now)).toBe(false);
    const elsewhere = { personId: signedIn.personId, projectId: stranger.projectId };
    const atOther = await newSignedIn(undefined, signedIn.personId);
    expect(await store.end({ ...elsewhere, projectId: atOther.projectId }, sessionId, 'ended', now)).toBe(
      false,
    );
    expect(await rowOf(sessionId)).toMatchObject({ revoked_at: null });
  });

  test(`is one of ${SESSIONS_MAX} at most: one more, and the one that was used longest ago ends`, async () => {
    const opened = [];
    for (let n = 0; n < SESSIONS_MAX; n++) opened.push(await store.open(signedIn, later(n)));
    const [oldest, second] = opened;
    await refreshed(oldest?.refreshToken ?? '', later(SESSIONS_MAX));
    await store.open(signedIn, later(SESSIONS_MAX + 1));
    expect(await rowOf(oldest?.sessionId ?? '')).toMatchObject({ revoked_at: null });
    expect(await rowOf(second?.sessionId ?? '')).toMatchObject({ revoked_because: 'too-many' });
    const { rows } = await pool.query(
      'select count(*)::int n from session where person_id = $1 and revoked_at is null',
      [signedIn.personId],
    );
    expect(rows[0].n).toBe(SESSIONS_MAX);
  });

  test('is listed newest first, page by page, for one project or for all', async () => {
    const elsewhere = await newSignedIn(undefined, signedIn.personId);
    const ids = [];
    for (const [n, who] of [signedIn, elsewhere, signedIn, signedIn].entries())
      ids.unshift((await store.open(who, later(n))).sessionId);
    const { personId, projectId } = signedIn;
    const all = await store.list({ personId, projectId: null }, { limit: 3, after: null }, later(5));
    expect(all.rows.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    const rest = await store.list({ personId, projectId: null }, { limit: 3, after: all.next }, later(5));
    expect(rest).toMatchObject({ rows: [{ id: ids[3] }], next: null });
    const own = await store.list({ personId, projectId }, { limit: 10, after: null }, later(5));
    expect(own.rows.map(({ id }) => id)).toEqual([ids[0], ids[1], ids[3]]);
    const expired = later(SESSION_IDLE_SECONDS + 10);
    expect((await store.list({ personId, projectId }, { limit: 10, after: null }, expired)).rows).toEqual([]);
  });
});

describe('an approval', () => {
  test('opens one session, of however many ask at one moment, and the same again for ten minutes', async () => {
    const verificationId = randomUUID();
    const grants = await Promise.all(
      Array.from({ length: 20 }, () => store.openOnce(signedIn, verificationId, now)),
    );
    expect(new Set(grants.map((grant) => grant?.refreshToken)).size).toBe(1);
    expect(await store.openOnce(signedIn, verificationId, later(REFRESH_RETRY_SECONDS))).not.toBeNull();
    expect(await store.openOnce(signedIn, verificationId, later(REFRESH_RETRY_SECONDS + 1))).toBeNull();
  });

  test('opens none once what it gave was used', async () => {
    const verificationId = randomUUID();
    const grant = await store.openOnce(signedIn, verificationId, now);
    await refreshed(grant?.refreshToken ?? '', later(1));
    expect(await store.openOnce(signedIn, verificationId, later(2))).toBeNull();
  });
});

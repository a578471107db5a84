import { generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { Navbat, TestProject } from '../../../support/navbat.ts';
import { type PhoneSession, send } from '../../../support/phone.ts';
import { codeAfter, newNumber, signInByCode } from '../../../support/platform.ts';
import { listOf, problem, startWithShops } from '../../../support/sessions.ts';

const previous = newKey('j0');

let navbat: Navbat;
let shop: TestProject;
let bank: TestProject;

beforeAll(async () => {
  ({ navbat, shop, bank } = await startWithShops({
    JWT_PREVIOUS_JWKS: JSON.stringify([publicHalf(previous)]),
  }));
});
afterAll(() => navbat.stop());

function newKey(kid: string) {
  return { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid };
}
type Key = ReturnType<typeof newKey>;
function publicHalf({ d: _secret, ...key }: Key): JWK {
  return key as JWK;
}

describe('an access token', () => {
  let session: PhoneSession;
  let key: Key;
  beforeAll(async () => {
    session = await signInByCode(navbat, shop, newNumber());
    key = JSON.parse(navbat.env['JWT_PRIVATE_JWK'] ?? '') as Key;
  });

  const keysOf = () => createRemoteJWKSet(new URL(`${navbat.apiUrl}/.well-known/jwks.json`));
  const check = (token: string, audience = shop.id) =>
    jwtVerify(token, keysOf(), { issuer: 'navbat', audience, algorithms: ['EdDSA', 'HS256'] });
  const claims = () => decodeJwt(session.access_token);
  const signed = async (payload: object, by: Key, header: object = {}) =>
    new SignJWT({ ...payload })
      .setProtectedHeader({ alg: 'EdDSA', kid: by.kid, typ: 'JWT', ...header })
      .sign(await importJWK(by as JWK, 'EdDSA'));
  const isRefused = async (token: string) =>
    expect(await listOf(navbat, { access_token: token })).toMatchObject(problem(401, 'unauthenticated'));

  test('is checked with our public keys by whoever has them', async () => {
    const { payload, protectedHeader } = await check(session.access_token);
    expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: 'j1', typ: 'JWT' });
    expect(payload).toMatchObject({
      iss: 'navbat',
      aud: shop.id,
      sub: session.sub,
      sid: session.session_id,
      amr: ['otp'],
    });
    expect(payload.exp).toBe((payload.iat ?? 0) + 600);
    expect(Number(payload['auth_time'])).toBeLessThanOrEqual(payload.iat ?? 0);
    expect(await listOf(navbat, session)).toMatchObject({ status: 200 });
  });

  test('is checked with keys that anybody may fetch and keep, and that hold no secret', async () => {
    const reply = await send(`${navbat.apiUrl}/.well-known/jwks.json`, 'GET');
    expect(reply.headers.get('cache-control')).toBe('public, max-age=300');
    expect(reply.body.keys.map(({ kid }: JWK) => kid)).toEqual(['j1', 'j0']);
    expect(JSON.stringify(reply.body)).not.toMatch(/"d":/);
  });

  test('is for its own project', async () => {
    await expect(check(session.access_token, bank.id)).rejects.toThrow('aud');
    await isRefused(await signed({ ...claims(), aud: bank.id }, key));
    await isRefused(await signed({ ...claims(), aud: PLATFORM_PROJECT_ID }, key));
    // The same claims, made by the same hand, are the token.
    expect(await listOf(navbat, { access_token: await signed(claims(), key) })).toMatchObject({
      status: 200,
    });
    await isRefused(await signed({ ...claims(), sub: randomUUID() }, key));
    await isRefused(await signed({ ...claims(), iss: 'another' }, key));
  });

  test('is nothing without a signature, whatever its head says', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, body] = session.access_token.split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      for (const signature of ['', session.access_token.split('.')[2]]) {
        const token = `${part({ alg, kid: 'j1', typ: 'JWT' })}.${body}.${signature}`;
        await expect(check(token)).rejects.toThrow(/alg/i);
        await isRefused(token);
      }
    }
  });

  test('is not signed with the public key as a shared secret', async () => {
    const { body } = await send(`${navbat.apiUrl}/.well-known/jwks.json`, 'GET');
    const secrets = [Buffer.from(body.keys[0].x, 'base64url'), Buffer.from(JSON.stringify(body.keys[0]))];
    for (const secret of secrets) {
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'j1', typ: 'JWT' })
        .sign(secret);
      await expect(check(token)).rejects.toThrow(/key|alg/i);
      await isRefused(token);
    }
  });

  test('names the key that signed it', async () => {
    for (const header of [{ kid: 'j9' }, { kid: 'j0' }, { kid: undefined }, { kid: '' }]) {
      const token = await signed(claims(), key, header);
      await expect(check(token)).rejects.toThrow(/no applicable key|multiple matching keys|signature/);
      await isRefused(token);
    }
    const stranger = newKey('j1');
    await expect(check(await signed(claims(), stranger))).rejects.toThrow('signature');
    await isRefused(await signed(claims(), stranger));
  });

  test('by the key of before is good until it expires', async () => {
    const token = await signed(claims(), previous);
    expect(decodeProtectedHeader(token).kid).toBe('j0');
    expect((await check(token)).payload['sid']).toBe(session.session_id);
    expect(await listOf(navbat, { access_token: token })).toMatchObject({ status: 200 });
    await isRefused(await signed({ ...claims(), exp: Math.floor(Date.now() / 1_000) - 1 }, previous));
  });

  test('is good until it expires, and no second longer', async () => {
    const seconds = Math.floor(Date.now() / 1_000);
    const past = await signed({ ...claims(), exp: seconds - 1 }, key);
    await expect(check(past)).rejects.toThrow('exp');
    await isRefused(past);
    const { exp: _never, ...endless } = claims();
    await isRefused(await signed(endless, key));
    expect(
      await listOf(navbat, { access_token: await signed({ ...claims(), exp: seconds + 60 }, key) }),
    ).toMatchObject({
      status: 200,
    });
  });

  test('of the phone API opens nothing of a person', async () => {
    const number = newNumber();
    const otp = await codeAfter(navbat, number, () => shop.call('POST', '/api/send-otp/', { phone: number }));
    const { body } = await shop.call('POST', '/api/verify-otp/', { phone: number, otp });
    expect((await check(body.token)).payload.aud).toBe(shop.id);
    await isRefused(body.token);
  });
});

import { expect, test } from 'vitest';
import { SessionId } from '../../../domain/identity/session/session.ts';
import { readRefreshToken, refreshToken } from '../../../infra/identity/refresh-tokens.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';

const sessionId = SessionId.parse('01990000-0000-7000-8000-000000000001');
const pepper = (byte: number) => keyedHash(Buffer.alloc(32, byte).toString('base64url'));
const hash = pepper(1);

test('a token names its session and how often that was refreshed, to the last one that fits', () => {
  for (const generation of [0, 1, 255, 256, 2 ** 32 - 1])
    expect(readRefreshToken(hash, refreshToken(hash, { sessionId, generation }))).toEqual({
      sessionId,
      generation,
    });
});

test('whoever has one token can not make the next, and no other installation’s passes', () => {
  const token = refreshToken(hash, { sessionId, generation: 1 });
  const bytes = Buffer.from(token, 'base64url');
  bytes.writeUInt32BE(2, 16);
  expect(readRefreshToken(hash, bytes.toString('base64url'))).toBeNull();
  expect(readRefreshToken(pepper(2), token)).toBeNull();
  for (let at = 0; at < bytes.length; at += 1) {
    const other = Buffer.from(token, 'base64url');
    other[at] = (other[at] ?? 0) ^ 1;
    expect(readRefreshToken(hash, other.toString('base64url')), `byte ${at}`).toBeNull();
  }
  for (const text of ['', 'x', token.slice(2), `${token}AA`])
    expect(readRefreshToken(hash, text), text).toBeNull();
});

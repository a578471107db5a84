import { expect, test } from 'vitest';
import { PROOF_TOKEN_CHARS_MAX } from '../../../domain/shared/proof-tokens.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { proofTokens } from '../../../infra/process/proof-token.ts';

const id = '01990000-0000-7000-8000-000000000001';
const pepper = (byte: number) => keyedHash(Buffer.alloc(32, byte).toString('base64url'));
const tokens = proofTokens(pepper(1), 'check-token');
const token = tokens.of(id);

test('a token is read back as what it was made for, and fits where tokens are taken', () => {
  expect(tokens.read(token)).toBe(id);
  expect(token.length).toBeLessThanOrEqual(PROOF_TOKEN_CHARS_MAX);
});

test('a token of another sort, or of another installation, is none', () => {
  expect(proofTokens(pepper(1), 'poll-token').read(token)).toBeNull();
  expect(proofTokens(pepper(2), 'check-token').read(token)).toBeNull();
});

test('a token with any bit turned, or of another length, is none', () => {
  const bytes = Buffer.from(token, 'base64url');
  for (let at = 0; at < bytes.length * 8; at += 1) {
    const other = Buffer.from(bytes);
    other[at >> 3] = (other[at >> 3] ?? 0) ^ (1 << (at & 7));
    expect(tokens.read(other.toString('base64url')), `bit ${at}`).toBeNull();
  }
  for (const text of ['', 'x', token.slice(2), `${token}AA`, id]) expect(tokens.read(text), text).toBeNull();
});

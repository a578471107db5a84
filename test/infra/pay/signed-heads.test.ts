import { CompactSign, importJWK } from 'jose';
import { expect, test } from 'vitest';
import { type DayHead, HEAD_TYPE } from '../../../domain/pay/ledger/head.ts';
import { headReader, headSigner } from '../../../infra/pay/signed-heads.ts';
import { newKey } from '../postgres/pay/chained-book.ts';

const head: DayHead = {
  book: '00000000-0000-4000-8000-000000000001',
  day: '2026-11-28',
  k: '3',
  n_to: '1200',
  totals: { available: '10', earnings: '-10' },
  head: 'ab'.repeat(32),
};

test.each([
  ['of its type', HEAD_TYPE, 'valid'],
  ['of an access token', 'JWT', 'forged'],
  ['of none', undefined, 'forged'],
])('what our key signed with the type %s is %s', async (_what, typ, kind) => {
  const key = newKey();
  const read = await headReader([key]);
  const jws = await new CompactSign(Buffer.from(JSON.stringify(head)))
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, ...(typ && { typ }) })
    .sign(await importJWK({ ...key }, 'EdDSA'));
  expect((await read(jws)).kind).toBe(kind);
});

test('what was signed is read', async () => {
  const key = newKey();
  expect(await (await headReader([key]))(await (await headSigner(key))(head))).toEqual({
    kind: 'valid',
    head,
  });
});

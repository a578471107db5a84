import { expect, test } from 'vitest';
import { idempotencyOf, type IdempotentRequest } from '../../../apps/http/idempotency.ts';

const request = (keyId: string, more: Partial<IdempotentRequest> = {}, access = 'secret') =>
  ({ caller: { keyId, access }, idempotencyKey: 'order-1', ip: '203.0.113.5', ...more }) as IdempotentRequest;
const nameOf = (...given: Parameters<typeof request>) => idempotencyOf(request(...given), {})?.key;
const hashOf = (asked: unknown) => idempotencyOf(request('a'), asked)?.bodyHash;

test('an answer is kept for the API key that asked: no other one takes its name or can spell it', () => {
  expect(nameOf('a')).toBe(nameOf('a', { ip: '203.0.113.6' }));
  expect(nameOf('a')).not.toBe(nameOf('b'));
  expect(nameOf('a')).not.toBe(nameOf('a', { idempotencyKey: 'order-2' }));
  // A caller's key holds no space: with the address in it, `publishable` has a name of its own.
  expect(nameOf('a', { idempotencyKey: '203.0.113.5-order-1' })).not.toBe(nameOf('a', {}, 'publishable'));
});

test('with a publishable key it belongs to the address too, and a /64 of IPv6 is one', () => {
  const from = (ip: string) => nameOf('a', { ip }, 'publishable');
  expect(from('203.0.113.5')).not.toBe(from('203.0.113.6'));
  expect(from('::ffff:203.0.113.5')).toBe(from('203.0.113.5'));
  expect(from('2001:db8::1')).toBe(from('2001:db8::2'));
  expect(from('2001:db8:0:1::1')).not.toBe(from('2001:db8::1'));
});

test('what means the same hashes the same, in whatever order its members come, and nothing else does', () => {
  expect(hashOf({ a: 1, b: { c: 'ü', d: [1, 2] } })).toBe(hashOf({ b: { d: [1, 2], c: 'ü' }, a: 1 }));
  expect(hashOf({ a: [1, 2] })).not.toBe(hashOf({ a: [2, 1] }));
  expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: '1' }));
  expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: 1, b: null }));
  expect(() => hashOf(undefined)).toThrow('a request is JSON');
});

test('without an idempotency key nothing is kept', () => {
  expect(idempotencyOf(request('a', { idempotencyKey: null }), {})).toBeNull();
});

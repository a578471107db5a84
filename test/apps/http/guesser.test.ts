import { expect, test } from 'vitest';
import { guesserOf } from '../../../apps/http/guesser.ts';

const secret = { access: 'secret', keyId: 'key-1' } as const;
const publishable = { access: 'publishable', keyId: 'key-1' } as const;

test('guesses count for the address, in IPv6 for its networks too, and for a key that its service holds', () => {
  expect(guesserOf(secret, '203.0.113.5')).toEqual({
    clients: [{ subject: '203.0.113.5', times: 1 }],
    keyId: 'key-1',
  });
  expect(guesserOf(secret, '2001:db8::1').clients.map(({ subject }) => subject)).toEqual([
    '2001:db8::/64',
    '2001:db8::/56',
    '2001:db8::/48',
  ]);
});

test('a key that is in anybody’s hands counts nothing: a stranger could use it up for all', () => {
  expect(guesserOf(publishable, '203.0.113.5').keyId).toBeNull();
});

test('where nobody said the address, none is invented', () => {
  expect(guesserOf(secret, null)).toEqual({ clients: [], keyId: 'key-1' });
});

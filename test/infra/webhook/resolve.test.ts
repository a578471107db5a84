import { expect, test } from 'vitest';
import { addressesOf, addressRule, systemResolve } from '../../../infra/webhook/resolve.ts';

const of = (address: string) => ({ address, family: address.includes(':') ? 6 : 4 }) as const;

test('callbacks go to private addresses in development alone', () => {
  expect(addressRule({ allowPrivate: false })(of('10.0.0.1'))).toBe(false);
  expect(addressRule({ allowPrivate: true })(of('10.0.0.1'))).toBe(true);
});

test('a host that is an address itself is asked of nobody, brackets and all', async () => {
  const nobody = () => Promise.reject(new Error('asked'));
  expect(await addressesOf('192.0.2.1', nobody)).toEqual([of('192.0.2.1')]);
  expect(await addressesOf('[2001:db8::1]', nobody)).toEqual([of('2001:db8::1')]);
  await expect(addressesOf('example.com', nobody)).rejects.toThrow('asked');
});

test('localhost is this machine, and no name server is asked for it', async () => {
  for (const name of ['localhost', 'a.localhost'])
    expect(await systemResolve()(name)).toEqual([of('127.0.0.1')]);
});

import { expect, test } from 'vitest';
import { addressesOf, addressRule, isPublic, systemResolve } from '../../../infra/webhook/resolve.ts';

const of = (address: string) => ({ address, family: address.includes(':') ? 6 : 4 }) as const;

test('no address of our own network, of a cloud’s host or of nobody is public', () => {
  for (const address of [
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '168.63.129.16',
    '100.64.0.1',
    '100.100.100.200',
    '192.0.0.192',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '192.0.2.1',
    '::',
    '::1',
    'fe80::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
    '2001:0:808:808::1',
    '2001:db8::1',
    '3fff::1',
    '4000::1',
    'localhost',
    '',
  ])
    expect(isPublic(of(address)), address).toBe(false);
});

test('an address of the open internet is', () => {
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '2a00:1450:4001::1',
    '2606:4700::1111',
  ])
    expect(isPublic(of(address)), address).toBe(true);
});

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

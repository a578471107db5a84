import { expect, test } from 'vitest';
import { isPublic, netsOf, normalAddress, publicNet } from '../../../domain/shared/ip-address.ts';

test.for<readonly [text: string, address: string]>([
  ['192.0.2.1', '192.0.2.1'],
  [' 192.0.2.1 ', '192.0.2.1'],
  ['192.0.2.1:443', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:C000:0201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1:443', '192.0.2.1'],
  ['[::ffff:192.0.2.1]:443', '192.0.2.1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['"[2001:db8::1]:443"', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%25eth0]:80', 'fe80::1'],
])('%s is the caller %s', ([text, address]) => {
  expect(normalAddress(text)).toBe(address);
});

test.for([
  '',
  ' ',
  'unknown',
  '_hidden',
  'localhost',
  'example.com',
  '010.0.0.1',
  '0x7f.0.0.1',
  '2130706433',
  '127.1',
  '1.2.3.4.5',
  '256.1.1.1',
  '2001:db8::1::2',
  '[2001:db8::1',
  '192.0.2.1, 192.0.2.2',
  '192.0.2.1\0',
])('%j is no address', (text) => {
  expect(normalAddress(text)).toBeNull();
});

test('IPv6 is counted by the nets that one subscriber may hold, IPv4 by itself, and whatever is neither together', () => {
  expect(netsOf('2001:db8:aaaa:bbcc:1:2:3:4')).toEqual([
    { subject: '2001:db8:aaaa:bbcc::/64', times: 1 },
    { subject: '2001:db8:aaaa:bb00::/56', times: 2 },
    { subject: '2001:db8:aaaa::/48', times: 4 },
  ]);
  expect(netsOf('::ffff:192.0.2.1')).toEqual([{ subject: '192.0.2.1', times: 1 }]);
  expect(netsOf('unknown')).toEqual(netsOf('_hidden'));
});

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
    expect(isPublic(address), address).toBe(false);
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
    expect(isPublic(address), address).toBe(true);
});

test('one subscriber is their IPv4 address, however it is written, or their /64; what is not public is nobody', () => {
  expect(publicNet('2a02:4780:1:2:3:4:5:6')).toBe('2a02:4780:1:2::/64');
  expect(publicNet('2A02:4780:1:2::1')).toBe('2a02:4780:1:2::/64');
  expect(publicNet('2a02:4780:1:3::1')).toBe('2a02:4780:1:3::/64');
  expect(publicNet('84.54.70.1')).toBe('84.54.70.1');
  expect(publicNet('::ffff:84.54.70.1')).toBe('84.54.70.1');
  for (const ip of [
    '10.1.2.3',
    '127.0.0.1',
    '192.168.0.1',
    '100.64.0.1',
    'fd00::1',
    '::1',
    '2001:db8::1',
    'none',
  ])
    expect(publicNet(ip)).toBeNull();
});

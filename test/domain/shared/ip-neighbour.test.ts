import { expect, test } from 'vitest';
import { isNeighbour } from '../../../domain/shared/ip-neighbour.ts';

test('a neighbour calls from this machine or its network, in either family', () => {
  for (const address of [
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    'fd00::1',
    'fe80::1%eth0',
  ])
    expect(isNeighbour({ host: 'x' }, address), address).toBe(true);
});

test('whoever calls from elsewhere, or from nowhere that can be read, is none', () => {
  for (const address of [
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.64.0.1',
    '2001:db8::1',
    '2a00::1',
    '::ffff:8.8.8.8',
    '0.0.0.0',
    '',
    'unknown',
    undefined,
  ])
    expect(isNeighbour({}, address), String(address)).toBe(false);
});

test('nor is whoever comes through a proxy, whatever name the proxy gives to it', () => {
  for (const header of [
    'x-forwarded-for',
    'x-forwarded-host',
    'via',
    'forwarded',
    'x-real-ip',
    'cf-ray',
    'cdn-loop',
  ])
    expect(isNeighbour({ [header]: '' }, '127.0.0.1'), header).toBe(false);
});

import type { Request } from 'express';
import { expect, test } from 'vitest';
import { originOf } from '../../../apps/http/origin.ts';

const from = (headers: Record<string, string>) =>
  originOf({ headers, host: 'board.example:3001' } as unknown as Request);

test('a browser’s own word decides, whatever else the request says', () => {
  const own = 'https://board.example:3001';
  expect(from({ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' })).toBe('own');
  for (const site of ['same-site', 'cross-site', 'none', ''])
    expect(from({ 'sec-fetch-site': site, origin: own }), site).toBe('foreign');
});

test('without it the origin must be ours to the port, and one that can not be read is foreign', () => {
  expect(from({ origin: 'https://board.example:3001' })).toBe('own');
  for (const origin of [
    'https://board.example',
    'https://board.example:3002',
    'https://a.board.example:3001',
    'null',
    '',
  ])
    expect(from({ origin }), origin).toBe('foreign');
});

test('whoever says nothing has said nothing', () => {
  expect(from({})).toBe('unsaid');
});

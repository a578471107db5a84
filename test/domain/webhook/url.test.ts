import { describe, expect, test } from 'vitest';
import { callbackUrlFault, shownUrl } from '../../../domain/webhook/url.ts';

const fault = (url: string, allowPrivate = false) => callbackUrlFault(url, { allowPrivate });

describe('an address to be called at', () => {
  test('is https with any path and query', () => {
    for (const url of [
      'https://example.com',
      'https://example.com/a?b=c',
      'https://example.com:8443/',
      'https://xn--e1afmkfd.uz',
    ])
      expect(fault(url), url).toBeNull();
  });

  test.each([
    ['http://example.com', /https/],
    ['ftp://example.com', /https/],
    ['javascript:alert(1)', /https/],
    ['file:///etc/passwd', /https/],
    ['/navbat', /absolute/],
    ['', /absolute/],
    ['https://user@example.com', /user name/],
    ['https://:secret@example.com', /password/],
    ['https://example.com/#a', /fragment/],
  ])('%j is refused', (url, says) => {
    expect(fault(url)).toMatch(says);
  });

  test('may be plain http in development, and of no other scheme there', () => {
    expect(fault('http://localhost:3000', true)).toBeNull();
    expect(fault('ftp://localhost', true)).toMatch(/https/);
  });

  test('has port 80, 443 or one from 1024, so that nobody talks HTTP to mail and shells', () => {
    for (const port of [443, 80, 1_024, 65_535])
      expect(fault(`https://example.com:${port}`), `${port}`).toBeNull();
    for (const port of [0, 1, 22, 25, 110, 1_023])
      expect(fault(`https://example.com:${port}`), `${port}`).toMatch(/port/);
    expect(fault('http://localhost:22', true)).toMatch(/port/);
  });

  test('has 2 048 characters at most', () => {
    expect(fault('https://example.com/'.padEnd(2_048, 'a'))).toBeNull();
    expect(fault('https://example.com/'.padEnd(2_049, 'a'))).toMatch(/2048/);
  });
});

test('a log shows no query, which may hold a token, and no password', () => {
  expect(shownUrl('https://example.com/a?token=secret')).toBe('https://example.com/a?…');
  expect(shownUrl('https://user:secret@example.com/a')).toBe('https://example.com/a');
  expect(shownUrl('https://example.com/a')).toBe('https://example.com/a');
});

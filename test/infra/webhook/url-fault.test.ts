import { expect, test } from 'vitest';
import { urlFault } from '../../../infra/webhook/url-fault.ts';

const fault = urlFault({ allowPrivate: false });

test.each([
  'https://localhost/a',
  'https://redis:6379',
  'https://metadata',
  'https://metadata.google.internal/a',
  'https://printer.local',
  'https://router.home.arpa',
  'https://a.localhost',
  'https://printer.local.',
  'https://127.0.0.1',
  'https://2130706433',
  'https://0x7f.1',
  'https://017700000001',
  'https://169.254.169.254/latest',
  'https://[::1]',
  'https://[::ffff:127.0.0.1]',
  'https://[fd00::1]',
])('%s is of our own network, however it is written', (url) => {
  expect(fault(url)).toBe('expected an address of the open internet');
});

test('a name of the open internet is taken: where it leads is asked at each call', () => {
  for (const url of [
    'https://example.com/a',
    'https://example.com.',
    'https://8.8.8.8',
    'https://internal.example.com',
    'https://[2a00:1450::1]',
  ])
    expect(fault(url), url).toBeNull();
});

test('what is wrong with any address is wrong with it here too, and in development nothing else is', () => {
  expect(fault('http://example.com')).toContain('https');
  const development = urlFault({ allowPrivate: true });
  expect(development('http://localhost:3000')).toBeNull();
  expect(development('ftp://localhost')).toContain('https');
});

import { expect, test } from 'vitest';
import { listenFault, otherPort } from '../../../domain/shared/listen-fault.ts';

test('a taken port names its variable and another port', () => {
  const line = listenFault('API_PORT', 3_000, '127.0.0.1', 'EADDRINUSE');
  expect(line).toMatch(/^API_PORT: port 3000 is taken\. .*set API_PORT to another port, such as 3100\.$/);
});

test('an address that is not of this machine names the address, and no other port', () => {
  const line = listenFault('API_PORT', 3_000, '192.0.2.1', 'EADDRNOTAVAIL');
  expect(line).toContain('192.0.2.1');
  expect(line).toContain('BIND_HOST');
  expect(line).not.toContain('another port');
});

test('any other fault tells its code', () => {
  expect(listenFault('API_PORT', 80, '::', 'EACCES')).toMatch(/\(EACCES\)\. Set API_PORT to another port/);
});

test('the other port is always one that there is', () => {
  for (const port of [1, 3_000, 65_435, 65_436, 65_535]) {
    expect(otherPort(port)).toBeGreaterThan(0);
    expect(otherPort(port)).toBeLessThanOrEqual(65_535);
    expect(otherPort(port)).not.toBe(port);
  }
});

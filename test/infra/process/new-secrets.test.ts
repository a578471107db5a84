import { expect, test } from 'vitest';
import { readConfig } from '../../../infra/process/config.ts';
import { type NewSecrets, newSecrets } from '../../../infra/process/new-secrets.ts';

const now = new Date('2026-01-15T10:00:00Z');
const names = ['CODE_KEYS', 'ENCRYPTION_KEYS', 'PEPPER', 'JWT_PRIVATE_JWK'] as const;

test('new secrets are ones that a process starts with, named by their month', () => {
  const config = readConfig({ ...newSecrets(now) }, names);
  expect(config.CODE_KEYS.current).toBe('2026-01');
  expect(config.ENCRYPTION_KEYS.current).toBe('2026-01');
});

test('no secret is made twice, and none is another one', () => {
  const made: NewSecrets[] = [newSecrets(now), newSecrets(now)];
  const all = made.flatMap((secrets) => Object.values(secrets));
  expect(new Set(all).size).toBe(all.length);
  const [one, other] = made.map(
    ({ JWT_PRIVATE_JWK }) => JSON.parse(JWT_PRIVATE_JWK) as Record<string, string>,
  );
  expect(one?.['kid']).not.toBe(other?.['kid']);
});

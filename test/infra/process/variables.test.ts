import { expect, test } from 'vitest';
import { Environment } from '../../../infra/process/config-schema.ts';
import {
  processVariables,
  type ProcessName,
  channelVariables,
  intakeProcesses,
} from '../../../infra/process/variables.ts';

const readBy = (name: string) =>
  Object.entries(processVariables)
    .filter(([, names]) => (names as readonly string[]).includes(name))
    .map(([process]) => process as ProcessName)
    .toSorted();

test('each process reads only what there is, and each variable once', () => {
  for (const [process, names] of Object.entries(processVariables)) {
    expect(new Set(names).size, process).toBe(names.length);
    for (const name of names) expect(Environment.shape, process).toHaveProperty(name);
  }
});

test('who breaks into one process does not have the secrets of the others', () => {
  expect(readBy('CODE_KEYS')).toEqual(['api', 'bot', 'otp-send']);
  // The reconciler signs the heads of the ledger.
  expect(readBy('JWT_PRIVATE_JWK')).toEqual(['api', 'reconciler']);
  expect(readBy('FIREBASE_SERVICE_ACCOUNT')).toEqual(['otp-send', 'push']);
  expect(readBy('TELEGRAM_WEBHOOK_SECRET')).toEqual(['bot']);
  for (const secret of ['CODE_KEYS', 'ENCRYPTION_KEYS', 'PEPPER', 'JWT_PRIVATE_JWK', 'DATABASE_URL'])
    expect(readBy(secret), secret).not.toContain('sandbox');
});

test('the processes that accept know which channels are set', () => {
  for (const process of intakeProcesses) expect(readBy('CODE_KEYS')).toContain(process);
  for (const name of channelVariables) expect(Environment.shape).toHaveProperty(name);
});

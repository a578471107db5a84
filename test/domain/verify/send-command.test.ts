import { expect, test } from 'vitest';
import { Client } from '../../../domain/verify/send-command.ts';

test('a device without a name is none: it would count as one device of everybody', () => {
  expect(Client.safeParse({ device_id: '' }).success).toBe(false);
  expect(Client.safeParse({ device_id: 'd' }).success).toBe(true);
});

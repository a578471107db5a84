import { expect, test } from 'vitest';
import { CHANNELS, type Message, settledStatus } from '../../../apps/sandbox/message.ts';

const message = (more: Partial<Message>): Message => ({
  id: '1',
  channel: 'sms',
  to: 'x',
  from: 'y',
  text: 'z',
  received_at: '2026-01-15T10:00:00.000Z',
  provider_reference: 'r',
  status: 'sent',
  fate: 'delivered',
  details: {},
  ...more,
});

test('a message that is read back has ended as its fate says', () => {
  for (const channel of CHANNELS) {
    expect(settledStatus(message({ channel }))).toBe('delivered');
    expect(settledStatus(message({ channel, fate: 'lost' }))).toBe('sent');
    expect(settledStatus(message({ channel, fate: 'undelivered' }))).toBe(
      channel === 'telegram-gateway' ? 'expired' : 'undelivered',
    );
  }
});

test('one that was taken back stays so, whatever its fate', () => {
  for (const status of ['deleted', 'revoked'] as const)
    for (const fate of ['delivered', 'lost', 'undelivered'] as const)
      expect(settledStatus(message({ status, fate }))).toBe(status);
});

import { expect, test } from 'vitest';
import { telegramMessage } from '../../../../domain/message/telegram/job.ts';

const broadcast_id = '01990000-0000-7000-8000-000000000001';

test('the row of a message keeps every chat id to the last digit, though it may exceed 2^53', () => {
  for (const chat_id of ['1', '-1001234567890', '9223372036854775807', '-9223372036854775808'])
    expect(telegramMessage.payload.parse({ broadcast_id, chat_id, recipient_id: null }).chat_id).toBe(
      chat_id,
    );
  for (const chat_id of ['', '-', '1e3', '1.5', ' 1', '1\n', '@channel', '1'.repeat(20), 7])
    expect(telegramMessage.payload.safeParse({ broadcast_id, chat_id, recipient_id: null }).success).toBe(
      false,
    );
});

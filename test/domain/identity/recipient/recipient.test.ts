import { expect, test } from 'vitest';
import { isChatHandle } from '../../../../domain/identity/recipient/recipient.ts';

test('a handle that stands for a chat is known by its front, and by that alone', () => {
  for (const handle of ['telegram:7', 'test:telegram:7', 'telegram:'])
    expect(isChatHandle(handle), handle).toBe(true);
  for (const handle of [
    '',
    'telegram',
    'Telegram:7',
    'my telegram:7',
    'live:telegram:7',
    'x:test:telegram:7',
  ])
    expect(isChatHandle(handle), handle).toBe(false);
});

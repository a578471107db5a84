import { expect, test } from 'vitest';
import type { SendReply } from '../../../domain/job/reply.ts';
import { closeDeadChat, telegramMessages } from '../../../workers/message/telegram-message.ts';

test('a chat that Telegram calls closed is closed as of the send, not as of the answer', async () => {
  const [sentAt, now] = [new Date('2026-01-15T10:00:00Z'), new Date('2026-01-15T10:00:07Z')];
  const closed: unknown[][] = [];
  const after = closeDeadChat({ close: async (...of) => void closed.push(of) }, () => now);
  const answered = (reply: SendReply) => after({} as never, { chatId: '7' } as never, 1, reply, sentAt);
  await answered({ kind: 'refused', reason: 'message-invalid', addressIsDead: false });
  await answered({ kind: 'accepted', reference: '1', cost: null });
  expect(closed).toEqual([]);
  await answered({ kind: 'refused', reason: 'bot-blocked', addressIsDead: true });
  expect(closed).toEqual([['7', 'bot-blocked', sentAt, now]]);
});

test('a message waits behind codes, whatever its content says', async () => {
  const sent: object[] = [];
  const bot = {
    channel: 'telegram',
    provider: 'telegram-bot',
    send: async (message: object) => {
      sent.push(message);
      return { kind: 'accepted', reference: '1', cost: null };
    },
  } as never;
  const content = { text: 'salom', urgent: true } as never;
  const work = { chatId: '7', recipientId: null, content, jobId: 'j' as never, readAtMs: 0 };
  await telegramMessages(bot, async () => null).send(work, new AbortController().signal);
  expect(sent).toMatchObject([{ chatId: '7', text: 'salom', urgent: false }]);
});

import { z } from 'zod';
import { explainReason } from '../../../domain/reasons.ts';
import { chatClosings, type ClosedChat, type ClosedChats } from '../../../domain/telegram/chat.ts';
import { Time } from '../../../domain/shared/time.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { defineRoute, type Route } from '../../http/route.ts';

const ClosedChatBody = z
  .object({
    chat_id: z.string().meta({ description: 'As a string: it may exceed 2^53.', example: '-1001234567890' }),
    recipient_id: z.uuid().nullable().meta({ description: 'Your recipient that stands for the chat.' }),
    reason: z.enum(chatClosings).meta({ description: 'Why nothing is sent there.' }),
    since: Time,
    meaning: z.string(),
    next_step: z.string().meta({ description: 'What opens the chat again.' }),
  })
  .meta({ id: 'ClosedChat' });

const bodyOf = ({ chatId, recipientId, reason, since }: ClosedChat) => {
  const { meaning, nextStep } = explainReason(reason);
  return {
    chat_id: chatId,
    recipient_id: recipientId,
    reason,
    since: since.toISOString(),
    meaning,
    next_step: nextStep,
  };
};

export const telegramChatRoutes = (chats: ClosedChats): Route[] => [
  defineRoute({
    method: 'get',
    path: '/telegram/chats',
    tag: 'Messages',
    summary: 'Chats that are closed, newest first',
    description:
      'The chats to which you send and nothing is sent now, with the reason and since when: the bot was blocked or removed, Telegram knows no such chat, or its person wants no messages. A chat opens at once when its person writes to the bot or unblocks it, or the bot is added again; and after a week by itself, so that the next message asks Telegram again. Staff can open one. Only `/start` takes back a `/stop`.',
    scope: 'messages',
    testKeys: 'refused',
    query: z.object({
      closed: z.enum(['true']).default('true').meta({ description: 'Only closed chats are listed.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page of them.', schema: pageSchema(ClosedChatBody) } },
    async handle({ query, caller }) {
      const page = await chats.list(caller.projectId, pageOrder(query));
      return { status: 200, body: pageBody(page, bodyOf) };
    },
  }),
];

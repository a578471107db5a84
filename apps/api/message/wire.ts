import type { ClosedChats } from '../../../domain/telegram/chat.ts';
import { broadcasts } from '../../../infra/postgres/message/broadcast/broadcasts.ts';
import { broadcastIntake } from '../../../infra/postgres/message/broadcast/intake.ts';
import { closedChats } from '../../../infra/postgres/telegram/closed-chats.ts';
import { boundedBroadcastIntake } from '../../../infra/postgres/message/broadcast/bounded-intake.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { configuredSenders } from '../../../infra/providers/message/from-config.ts';
import type { Route } from '../../http/route.ts';
import type { Wired } from '../wire.ts';
import { type MessageDeps, messageRoutes } from './messages.routes.ts';
import { telegramChatRoutes } from './telegram-chats.routes.ts';

export interface MessageContextDeps {
  readonly messages: MessageDeps;
  readonly chats: ClosedChats;
}

export const messageContextRoutes = ({ messages, chats }: MessageContextDeps): Route[] => [
  ...messageRoutes(messages),
  ...telegramChatRoutes(chats),
];

/** Messages to one or to many; their queue entries are the scheduler's. */
export function wireMessage({ config, pools, clock, hash, encryption, rows }: ApiPlatform): Wired {
  const intake = broadcastIntake({ pool: pools.hot, hash, encryption, now: clock });
  const messages = {
    providers: configuredSenders(config),
    intake: boundedBroadcastIntake(intake, rows),
    broadcasts: broadcasts(pools.hot),
  };
  return { routes: messageContextRoutes({ messages, chats: closedChats(pools.read) }) };
}

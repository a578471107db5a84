import type { ClosedChats } from '../../../domain/telegram/chat.ts';
import { broadcasts } from '../../../infra/postgres/message/broadcast/broadcasts.ts';
import { broadcastIntake } from '../../../infra/postgres/message/broadcast/intake.ts';
import { preferencesLinks } from '../../../infra/postgres/message/preferences/links.ts';
import {
  preferencesDoors,
  preferencesStore,
} from '../../../infra/postgres/message/preferences/preferences.ts';
import { writeAudit } from '../../../infra/postgres/staff/audit.ts';
import { closedChats } from '../../../infra/postgres/telegram/closed-chats.ts';
import { boundedBroadcastIntake } from '../../../infra/postgres/message/broadcast/bounded-intake.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { configuredSenders } from '../../../infra/providers/message/from-config.ts';
import type { Route } from '../../http/route.ts';
import type { Wired } from '../wire.ts';
import { type MessageDeps, messageRoutes } from './messages.routes.ts';
import { preferencesPages } from './preferences-page.routes.ts';
import { type PreferencesDeps, preferencesRoutes } from './preferences.routes.ts';
import { telegramChatRoutes } from './telegram-chats.routes.ts';

export interface MessageContextDeps {
  readonly messages: MessageDeps;
  readonly chats: ClosedChats;
  readonly preferences: PreferencesDeps;
}

export const messageContextRoutes = ({ messages, chats, preferences }: MessageContextDeps): Route[] => [
  ...messageRoutes(messages),
  ...telegramChatRoutes(chats),
  ...preferencesRoutes(preferences),
];

/** Messages to one or to many, and what people want of them; their queue entries are the scheduler's. */
export function wireMessage({ config, pools, clock, hash, encryption, rows, counter }: ApiPlatform): Wired {
  const intake = broadcastIntake({
    pool: pools.hot,
    hash,
    encryption,
    now: clock,
    audit: (tx, { keyId, slug, broadcastId, ...detail }) =>
      writeAudit(tx, {
        by: `project ${slug}, key ${keyId}`,
        action: 'message.critical',
        subject: broadcastId,
        detail,
      }),
  });
  const messages = {
    providers: configuredSenders(config),
    intake: boundedBroadcastIntake(intake, rows),
    broadcasts: broadcasts(pools.hot),
  };
  const links = preferencesLinks(hash, config.PUBLIC_URL);
  const store = preferencesStore(pools.read, hash);
  const doors = preferencesDoors(pools.read, hash, links);
  return {
    routes: messageContextRoutes({
      messages,
      chats: closedChats(pools.read),
      preferences: { store, links },
    }),
    routers: [preferencesPages({ doors, store, counter, now: clock, proxies: config.TRUST_PROXY })],
  };
}

import type { Pool } from 'pg';
import type { NewsMessage } from '../../../domain/earn/news/fan-out.ts';
import type { BroadcastIntake, BroadcastOrder } from '../../../domain/message/broadcast/broadcast.ts';
import { categoryOf } from '../../../domain/message/preferences/category.ts';
import { stopLabelsOf } from '../../../domain/message/preferences/words.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { newsRounds } from '../../../infra/postgres/earn/news/rounds.ts';
import { supportNotices } from '../../../infra/postgres/earn/support/notices.ts';
import { broadcastIntake } from '../../../infra/postgres/message/broadcast/intake.ts';
import { projectCache } from '../../../infra/postgres/project/cache.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import type { Tick } from '../../../infra/process/ticks.ts';
import type { WorkerPlatform } from '../../wire.ts';
import { tellNews } from './tell-news.ts';
import { tellSupport } from './tell-support.ts';

/** A night and a day: quiet hours end in it, and what support said is still of use. */
const LIFE_MS = 2 * 86_400_000;

/** What people are told: as messages of the project in which they earn, which their preferences hold back. */
export function tellingTicks(
  { configOf, clock: now }: WorkerPlatform,
  pool: Pool,
  book: ProjectId,
): Readonly<Record<string, Tick>> {
  const { PEPPER, ENCRYPTION_KEYS } = configOf('reconciler');
  const hash = keyedHash(PEPPER);
  const messages = broadcastIntake({ pool, hash, encryption: rowEncryption(ENCRYPTION_KEYS), now });
  const orderOf = orders({ book, project: projectCache(pool), now });
  return {
    'tell-support': tellSupport({
      notices: supportNotices(pool),
      toChats: async (chatIds, text, dedupeKey) => {
        const targets = chatIds.map((chatId) => ({ by: 'chat', chatId }) as const);
        const content = { text, format: 'plain', silent: false } as const;
        const order = await orderOf({ dedupeKey, category: undefined, priority: 'normal' });
        await accepted(messages, { ...order, kind: 'telegram-message', content, targets });
      },
    }),
    'tell-news': tellNews({
      news: newsRounds(pool, book),
      send: async (message) => {
        const { recipientIds, dedupeKey, category } = message;
        const targets = recipientIds.map((recipientId) => ({ by: 'recipient', recipientId }) as const);
        const order = await orderOf({ dedupeKey, category, priority: 'bulk' });
        await accepted(messages, { ...order, ...contentOf(message), targets });
      },
    }),
  };
}

const contentOf = ({ kind, newsId, title, text }: NewsMessage): Pick<BroadcastOrder, 'kind' | 'content'> =>
  kind === 'push'
    ? {
        kind,
        content: {
          notification: { title, body: text },
          data: { kind: 'news', id: newsId },
          ttl_seconds: LIFE_MS / 1_000,
        },
      }
    : { kind, content: { text, format: 'plain', silent: false } };

interface Ordered extends Pick<BroadcastOrder, 'priority'> {
  readonly dedupeKey: string;
  /** Undefined: the first of the project. */
  readonly category: string | undefined;
}

/** A category that the project has no more still holds back whoever switched it off. */
const orders =
  ({
    book,
    project,
    now,
  }: {
    readonly book: ProjectId;
    readonly project: ReturnType<typeof projectCache>;
    readonly now: () => Date;
  }) =>
  async ({ dedupeKey, category: name, priority }: Ordered) => {
    const { slug, settings } = await project(book);
    const category = categoryOf(settings.message_categories, name);
    const sendAt = now();
    return {
      caller: { projectId: book, slug, mode: 'live' },
      priority,
      sendAt,
      expiresAt: new Date(sendAt.getTime() + LIFE_MS),
      dedupeKey,
      idempotency: null,
      requestId: dedupeKey.replaceAll(':', '-'),
      category: {
        name: category?.name ?? name ?? '',
        criticalBy: null,
        stopLabels: category && stopLabelsOf(category),
      },
    } as const;
  };

/** @throws Error where the round is to be begun anew: a recipient of it was erased meanwhile. Whom nothing reaches is not told. */
async function accepted(messages: BroadcastIntake, order: BroadcastOrder): Promise<void> {
  const answer = await messages.accept(order);
  if (answer.kind === 'accepted' || answer.kind === 'unreachable') return;
  throw new Error(`people were not told (${answer.kind}): the round comes again`);
}

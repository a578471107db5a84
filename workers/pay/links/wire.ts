import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { payoutLinkUrl } from '../../../domain/pay/link/url.ts';
import { PLATFORM_PROJECT_ID, PLATFORM_SLUG } from '../../../domain/project/platform.ts';
import { broadcastIntake } from '../../../infra/postgres/message/broadcast/intake.ts';
import { linkOutbox } from '../../../infra/postgres/pay/list/links.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import type { Tick } from '../../../infra/process/ticks.ts';
import type { ProcessConfig } from '../../../infra/process/variables.ts';
import type { WorkerPlatform } from '../../wire.ts';
import { sendLinks } from '../send-links.ts';

/** A link that Telegram takes a day later is still of use. */
const LINK_LIFE_MS = 86_400_000;
const TOKEN_BYTES = 32;

/** By the bot, as messages of Navbat's own project. */
export function sendingLinks(
  { clock: now, log }: WorkerPlatform,
  pool: Pool,
  { PEPPER, ENCRYPTION_KEYS, PUBLIC_URL }: ProcessConfig<'reconciler'>,
): Tick {
  const encryption = rowEncryption(ENCRYPTION_KEYS);
  const messages = broadcastIntake({ pool, hash: keyedHash(PEPPER), encryption, now });
  return sendLinks({
    outbox: linkOutbox(pool),
    newToken: () => randomBytes(TOKEN_BYTES).toString('base64url'),
    urlOf: (token) => payoutLinkUrl(PUBLIC_URL, token),
    toChats: async (chatIds, text, dedupeKey) => {
      const sendAt = now();
      await messages.accept({
        caller: { projectId: PLATFORM_PROJECT_ID, slug: PLATFORM_SLUG, mode: 'live' },
        kind: 'telegram-message',
        priority: 'normal',
        targets: chatIds.map((chatId) => ({ by: 'chat', chatId }) as const),
        content: { text, format: 'plain', silent: false },
        sendAt,
        expiresAt: new Date(sendAt.getTime() + LINK_LIFE_MS),
        dedupeKey,
        idempotency: null,
        requestId: dedupeKey.replace(':', '-'),
        category: null,
      });
    },
    toPhone: null,
    now,
    onFault: (err, payoutId) =>
      log.warn({ err, payout_id: payoutId }, 'a payout link was not sent; it is tried again'),
  });
}

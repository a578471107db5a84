import { expect, test } from 'vitest';
import { ConfigError } from '../../../../infra/process/config.ts';
import { configuredSenders, pushFromConfig } from '../../../../infra/providers/message/from-config.ts';
import { fcmFromConfig } from '../../../../infra/providers/push/from-config.ts';
import { telegramFromConfig } from '../../../../infra/providers/telegram/from-config.ts';

test('a channel is there with any one of its settings, and off without', async () => {
  expect([...configuredSenders({ given: new Set(['FCM_SANDBOX_URL']) })]).toEqual(['push']);
  expect([...configuredSenders({ given: new Set(['TELEGRAM_BOT_TOKEN']) })]).toEqual(['telegram']);
  expect([...configuredSenders({ given: new Set(['TELEGRAM_API_ROOT']) })]).toEqual([]);
  expect(await pushFromConfig({} as never)).toBeNull();
  expect(
    await telegramFromConfig({ TELEGRAM_MESSAGES_PER_SECOND: 29, TELEGRAM_CHAT_GAP_MS: 1_000 } as never),
  ).toBeNull();
});

test('a service account that is none stops the start, names its variable and quotes nothing of it', async () => {
  const failed: unknown = await fcmFromConfig({
    FIREBASE_SERVICE_ACCOUNT: { project_id: 'p', private_key: 'not-a-key' },
  } as never).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ConfigError);
  expect(String(failed)).toContain('FIREBASE_SERVICE_ACCOUNT');
  expect(String(failed)).not.toContain('not-a-key');
});

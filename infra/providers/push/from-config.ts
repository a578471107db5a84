import { type Config, ConfigError } from '../../process/config.ts';
import type { FcmClient } from './fcm-client.ts';

export type FcmConfig = Pick<Config, 'FCM_SANDBOX_URL' | 'FIREBASE_SERVICE_ACCOUNT'>;

/** What sets Firebase; one of them is enough. */
export const setsPush = ['FCM_SANDBOX_URL', 'FIREBASE_SERVICE_ACCOUNT'] as const;

/**
 * The client of Firebase, which several send through, or null where it is off.
 *
 * @throws ConfigError when its credentials can't be read.
 */
export async function fcmFromConfig(config: FcmConfig): Promise<FcmClient | null> {
  const { FCM_SANDBOX_URL: sandboxUrl, FIREBASE_SERVICE_ACCOUNT: serviceAccount } = config;
  if (!sandboxUrl && !serviceAccount) return null;
  const { fcmClient } = await import('../push/fcm-client.ts');
  if (sandboxUrl) return fcmClient({ sandboxUrl });
  try {
    return fcmClient({ serviceAccount: serviceAccount ?? {} });
  } catch {
    throw new ConfigError(
      'FIREBASE_SERVICE_ACCOUNT: expected a service account with project_id, client_email and private_key',
    );
  }
}

import { freePort } from '../../../infra/embedded/port.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';
import { reportsAddress } from '../../../infra/process/reports-address.ts';
import { newSandboxCredentials } from '../../../apps/local/secrets.ts';

export type Variables = Readonly<Record<string, string>>;

export interface Ports {
  readonly apis: readonly number[];
  readonly sandbox: number;
  /** Of the load balancer, where providers reach our callbacks. */
  readonly balancer: number;
}

export async function freePorts(apis: number): Promise<Ports> {
  const ports: number[] = [];
  while (ports.length < apis + 2) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  return { apis: ports.slice(2), sandbox: ports[0] ?? 0, balancer: ports[1] ?? 0 };
}

/** What every process of one chaos run is started with: its own servers, its own secrets, and the sandbox as every provider. */
export function chaosEnvironment(
  servers: { readonly postgres: { readonly url: string }; readonly redisUrl: string },
  { balancer, sandbox }: Ports,
  home: string,
): Variables {
  const { PATH = '', HOME = '' } = process.env;
  const sandboxUrl = `http://127.0.0.1:${sandbox}`;
  const publicUrl = `http://127.0.0.1:${balancer}`;
  // Without the Gateway, which has faults of its own.
  const { TELEGRAM_GATEWAY_TOKEN: _, ...accounts } = newSandboxCredentials();
  return {
    PATH,
    HOME,
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    BIND_HOST: '127.0.0.1',
    DATABASE_URL: servers.postgres.url,
    REDIS_URL: servers.redisUrl,
    NAVBAT_HOME: home,
    SANDBOX_PORT: String(sandbox),
    PUBLIC_URL: publicUrl,
    FCM_SANDBOX_URL: sandboxUrl,
    // The receiver of callbacks is this machine.
    WEBHOOK_ALLOW_PRIVATE: 'true',
    ...accounts,
    TWILIO_API_URL: sandboxUrl,
    ESKIZ_API_URL: `${sandboxUrl}/eskiz`,
    PLAY_MOBILE_API_URL: `${sandboxUrl}/broker-api`,
    SANDBOX_PLAY_MOBILE_REPORTS: reportsAddress(publicUrl, accounts['PLAY_MOBILE_PASSWORD'] ?? ''),
    TELEGRAM_API_ROOT: sandboxUrl,
    // What is tried here is not Telegram's pace.
    TELEGRAM_MESSAGES_PER_SECOND: '100000',
    TELEGRAM_CHAT_GAP_MS: '0',
    ...newSecrets(new Date()),
  };
}

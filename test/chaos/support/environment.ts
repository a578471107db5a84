import { freePort } from '../../../infra/embedded/port.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';
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
  servers: { readonly postgresUrl: string; readonly redisUrl: string },
  { balancer, sandbox }: Ports,
  home: string,
): Variables {
  const { PATH = '', HOME = '' } = process.env;
  const sandboxUrl = `http://127.0.0.1:${sandbox}`;
  const credentials = newSandboxCredentials();
  return {
    PATH,
    HOME,
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    BIND_HOST: '127.0.0.1',
    DATABASE_URL: servers.postgresUrl,
    REDIS_URL: servers.redisUrl,
    NAVBAT_HOME: home,
    SANDBOX_PORT: String(sandbox),
    PUBLIC_URL: `http://127.0.0.1:${balancer}`,
    FCM_SANDBOX_URL: sandboxUrl,
    // The receiver of callbacks is this machine.
    WEBHOOK_ALLOW_PRIVATE: 'true',
    TWILIO_ACCOUNT_SID: credentials['TWILIO_ACCOUNT_SID'] ?? '',
    TWILIO_AUTH_TOKEN: credentials['TWILIO_AUTH_TOKEN'] ?? '',
    TWILIO_PHONE_NUMBER: credentials['TWILIO_PHONE_NUMBER'] ?? '',
    TWILIO_API_URL: sandboxUrl,
    TELEGRAM_BOT_TOKEN: credentials['TELEGRAM_BOT_TOKEN'] ?? '',
    TELEGRAM_API_ROOT: sandboxUrl,
    // What is tried here is not Telegram's pace.
    TELEGRAM_MESSAGES_PER_SECOND: '100000',
    TELEGRAM_CHAT_GAP_MS: '0',
    ...newSecrets(new Date()),
  };
}

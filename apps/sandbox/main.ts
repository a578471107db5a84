import { join } from 'node:path';
import { listenFault } from '../../domain/shared/listen-fault.ts';
import { ConfigError, readConfig } from '../../infra/process/config.ts';
import { openLog } from '../../infra/process/log.ts';
import { type ProcessConfig, processVariables } from '../../infra/process/variables.ts';
import { refuseProduction, startSandbox } from './start-sandbox.ts';

/** 5 s to write the log out and close; it takes milliseconds. */
const DRAIN_MS_MAX = 5_000;

// It needs no database, no Redis and no keys. A `.env` is of what sends in earnest.
const config = sandboxConfig();

try {
  refuseProduction(config.NODE_ENV);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

const log = openLog('sandbox', config.LOG_LEVEL);
const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = config;
const { ESKIZ_EMAIL: email, ESKIZ_PASSWORD: password } = config;
const { PLAY_MOBILE_LOGIN: login, PLAY_MOBILE_PASSWORD: brokerPassword } = config;
const sandbox = await startSandbox({
  port: config.SANDBOX_PORT,
  host: config.SANDBOX_BIND_HOST,
  directory: join(config.NAVBAT_HOME, 'sandbox'),
  credentials: {
    twilio: accountSid && authToken ? { accountSid, authToken } : undefined,
    eskiz: email && password ? { email, password } : undefined,
    playMobile:
      login && brokerPassword
        ? { login, password: brokerPassword, reportUrl: config.SANDBOX_PLAY_MOBILE_REPORTS }
        : undefined,
    telegramBotToken: config.TELEGRAM_BOT_TOKEN,
    telegramGatewayToken: config.TELEGRAM_GATEWAY_TOKEN,
  },
  log,
}).catch((error: unknown) => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(EADDRINUSE|EADDRNOTAVAIL|EACCES)$/.test(code))
    process.stderr.write(
      `${listenFault('SANDBOX_PORT', config.SANDBOX_PORT, config.SANDBOX_BIND_HOST, code)}\n`,
    );
  else log.fatal({ err: error }, 'sandbox did not start');
  process.exit(1);
});
log.info({ url: sandbox.url, inbox: `${sandbox.url}/inbox` }, 'sandbox ready');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    setTimeout(() => process.exit(1), DRAIN_MS_MAX).unref();
    void sandbox.close().then(() => {
      log.info('sandbox stopped');
      process.exit(0);
    });
  });
}

function sandboxConfig(): ProcessConfig<'sandbox'> {
  try {
    return readConfig(process.env, processVariables.sandbox);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

import { join } from 'node:path';
import { MULTICARD_PAYMENTS_PATH } from '../../../../domain/pay/rail/callback-paths.ts';
import { openClock } from '../../../../infra/process/clock.ts';
import { ConfigError, readConfig } from '../../../../infra/process/config.ts';
import { openLog } from '../../../../infra/process/log.ts';
import { runProcess } from '../../../../infra/process/run.ts';
import { processVariables } from '../../../../infra/process/variables.ts';
import { startMulticard } from './start-multicard.ts';

await runProcess(async () => {
  // A `.env` is of what pays in earnest.
  const config = readConfig(process.env, processVariables.multicard);
  if (config.NODE_ENV === 'production')
    throw new ConfigError("NODE_ENV: expected development: the sandbox's Multicard pays nobody");
  const log = openLog('multicard', config.LOG_LEVEL);
  const { MULTICARD_APPLICATION_ID: applicationId, MULTICARD_SECRET: secret } = config;
  const { MULTICARD_STORE_ID: storeId } = config;
  if (!applicationId || !secret || !storeId)
    throw new ConfigError(
      'MULTICARD_APPLICATION_ID, MULTICARD_SECRET, MULTICARD_STORE_ID: expected the account that it knows',
    );
  // Its days are those of the sandbox: what is paid after `clock forward` was paid then.
  const clock = await openClock(config, log);
  const multicard = await startMulticard({
    port: config.SANDBOX_MULTICARD_PORT,
    host: config.SANDBOX_BIND_HOST,
    directory: join(config.NAVBAT_HOME, 'sandbox'),
    account: { applicationId, secret, storeId },
    webhookUrl: `${config.PUBLIC_URL}${MULTICARD_PAYMENTS_PATH}`,
    clock: clock.clock,
    log,
  });
  log.info({ url: multicard.url, payments: multicard.logPath }, 'multicard ready');
  return async () => {
    await multicard.close();
    await clock.close();
  };
});

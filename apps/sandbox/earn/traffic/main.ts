import { openClock } from '../../../../infra/process/clock.ts';
import { ConfigError, readConfig } from '../../../../infra/process/config.ts';
import { openLog } from '../../../../infra/process/log.ts';
import { runProcess } from '../../../../infra/process/run.ts';
import { processVariables } from '../../../../infra/process/variables.ts';
import { startTraffic } from './start-traffic.ts';

await runProcess(async () => {
  // A `.env` is of what pays in earnest.
  const config = readConfig(process.env, processVariables.traffic);
  if (config.NODE_ENV === 'production')
    throw new ConfigError('NODE_ENV: expected development: the phones of the sandbox share no traffic');
  const log = openLog('traffic', config.LOG_LEVEL);
  // Phones have the time of the sandbox: what they share after `clock forward` is of that day.
  const clock = await openClock(config, log);
  const traffic = await startTraffic({
    port: config.SANDBOX_TRAFFIC_PORT,
    host: config.SANDBOX_BIND_HOST,
    apiUrl: config.PUBLIC_URL,
    clock: clock.clock,
    log,
  });
  log.info({ url: traffic.url }, 'traffic ready');
  return async () => {
    await traffic.close();
    await clock.close();
  };
});

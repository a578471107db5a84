import { readConfig } from '../../infra/process/config.ts';
import { environment } from '../../infra/process/environment.ts';
import { openLog } from '../../infra/process/log.ts';
import { openPlatform } from '../../infra/process/platform.ts';
import { runProcess } from '../../infra/process/run.ts';
import { processVariables } from '../../infra/process/variables.ts';
import { createHttpServer, drain, listen } from '../http/server.ts';
import { createBoard } from './app.ts';
import { wireBoard } from './wire.ts';

/** A few people look at a few pages: the rest of Postgres is the intake's and the workers'. */
const CONNECTIONS_MAX = 4;
/** A page takes some milliseconds, a run of retries some seconds. */
const DRAIN_LIMIT_MS = 10_000;

await runProcess(async () => {
  const config = readConfig(environment(), processVariables.board);
  const log = openLog('board', config.LOG_LEVEL);
  const platform = await openPlatform(config, log, { connectionsMax: CONNECTIONS_MAX });
  const { parts, endStreams, close } = await wireBoard(platform);
  const server = createHttpServer(createBoard(parts), { proxies: config.TRUST_PROXY });
  await listen(server, config.BIND_HOST, config.BOARD_PORT, 'BOARD_PORT');
  log.info({ host: config.BIND_HOST, port: config.BOARD_PORT }, 'board ready');

  return async () => {
    endStreams();
    await drain(server, DRAIN_LIMIT_MS);
    await close();
    await platform.close();
    log.info('board stopped');
  };
});

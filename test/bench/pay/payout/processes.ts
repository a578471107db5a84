import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobsOf, products, type Products } from '../../../../domain/products.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { newSandboxCredentials } from '../../../../apps/local/secrets.ts';
import { FinancePerson } from '../../../chaos/pay/paying/installation.ts';
import type { Child } from '../../support/child.ts';
import type { Stage } from '../../support/stage.ts';
import { RailLog } from './rail-log.ts';

/** Far more than is paid. */
const WALLET_TIYIN = 9_000_000_000_000_000;
const on: Products = new Set(products);

/** What pays, as `npm start` starts it, but for the bot, and with a provider of codes that answers at once. */
export interface Paying {
  readonly env: Readonly<Record<string, string>>;
  readonly railLog: RailLog;
  readonly apiPort: number;
  /** Of codes. */
  readonly provider: Child;
  readonly pids: Readonly<Record<'api' | 'worker-payout' | 'reconciler', number>>;
  /** Somebody of finance, logged in. */
  readonly maker: FinancePerson;
  /** `PUT /control/…` of the rail. */
  readonly control: (what: string, body: object) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function startPaying(stage: Stage): Promise<Paying> {
  const home = await mkdtemp(join(tmpdir(), 'navbat-bench-home-'));
  const port = { api: 0, board: 0, rail: 0, provider: 0 };
  for (const name of Object.keys(port) as (keyof typeof port)[]) port[name] = await stage.freePort();
  const url = (of: number) => `http://127.0.0.1:${of}`;
  const { TELEGRAM_GATEWAY_TOKEN: _, ...accounts } = newSandboxCredentials();
  const env = {
    NODE_ENV: 'test',
    NAVBAT_ENV_FILE: '',
    LOG_LEVEL: 'info',
    NAVBAT_HOME: home,
    NAVBAT_PRODUCTS: [...on].join(','),
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
    API_PORT: String(port.api),
    BOARD_PORT: String(port.board),
    PUBLIC_URL: url(port.api),
    ...accounts,
    SANDBOX_MULTICARD_PORT: String(port.rail),
    MULTICARD_API_URL: url(port.rail),
    TELEGRAM_API_ROOT: url(port.provider),
    // Its pace is not what is measured.
    TELEGRAM_MESSAGES_PER_SECOND: '100000',
    TELEGRAM_CHAT_GAP_MS: '0',
    FCM_SANDBOX_URL: url(port.provider),
  };
  const provider = await stage.start('provider', 'test/bench/provider/main.ts', {
    API_PORT: String(port.provider),
  });
  await stage.start('rail', 'apps/sandbox/pay/multicard/main.ts', env);
  const api = await stage.start('api', 'apps/api/main.ts', env);
  await stage.start('board', 'apps/board/main.ts', env);
  const workers = new Map<string, Child>();
  for (const role of [...Object.keys(jobsOf(on)), 'reconciler'])
    workers.set(role, await stage.start(`worker-${role}`, 'workers/main.ts', env, [role]));
  const control = async (what: string, body: object) => {
    const answer = await fetch(`${url(port.rail)}/control/${what}`, {
      method: 'PUT',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the rail refused ${what}: ${await answer.text()}`);
  };
  await control('wallet', { balance: WALLET_TIYIN });
  const at = {
    apiUrl: url(port.api),
    boardUrl: url(port.board),
    sandboxUrl: '',
    multicardUrl: url(port.rail),
    home,
    env: { ...stage.env, ...env },
  };
  const maker = await FinancePerson.create(at, 'maker@example.com', () => new Date());
  await maker.logIn();
  const railLog = new RailLog(join(home, 'sandbox', 'multicard.jsonl'));
  railLog.follow();
  return {
    env,
    railLog,
    apiPort: port.api,
    provider,
    pids: {
      api: api.pid,
      'worker-payout': workers.get('payout')?.pid ?? 0,
      reconciler: workers.get('reconciler')?.pid ?? 0,
    },
    maker,
    control,
    close: async () => {
      await railLog.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

import { isOn, type Owner, type Products } from '../../domain/products.ts';
import { moneyProjectOf } from '../../infra/postgres/pay/money-project.ts';
import type { Config } from '../../infra/process/config.ts';
import { checkSmsAccounts } from '../../infra/providers/verify/channels.ts';
import { smsRoutingOf } from '../../infra/providers/verify/sms-routing.ts';

interface Module {
  readonly owner: Owner;
  /** @throws ConfigError where a variable of it is wrong in itself. */
  readonly check: (config: Config) => unknown;
}

/** What products read further than `readConfig` does: one line each. */
const modules: readonly Module[] = [
  // Accounts at providers of SMS.
  { owner: 'verify', check: checkSmsAccounts },
  // Routes of SMS and their prices.
  { owner: 'verify', check: smsRoutingOf },
  // Whose book the money is in.
  { owner: 'pay', check: moneyProjectOf },
];

/**
 * Before anything is started, as each process does by itself later.
 *
 * @throws ConfigError
 */
export function checkModules(config: Config, on: Products): void {
  for (const { owner, check } of modules) if (isOn(on, owner)) check(config);
}

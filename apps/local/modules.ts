import { isOn, type Owner, type Products } from '../../domain/products.ts';
import { moneyProjectOf } from '../../infra/postgres/pay/money-project.ts';
import type { Config } from '../../infra/process/config.ts';
import { checkSmsAccounts } from '../../infra/providers/verify/channels.ts';
import { checkMulticard } from '../../infra/providers/pay/from-config.ts';
import { smsRoutingOf } from '../../infra/providers/verify/sms-routing.ts';
import type { ChildSpec } from './child.ts';
import type { PortName } from './environment.ts';
import { trafficSandbox } from './earn/traffic.ts';
import { multicardSandbox } from './pay/multicard.ts';

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
  // The account of the rail that pays cards.
  { owner: 'pay', check: checkMulticard },
];

/** A provider of a product's own, beside those of the sandbox. */
export interface ProviderModule extends Pick<ChildSpec, 'name' | 'command'> {
  readonly owner: Owner;
  /** It answers `/health` there. */
  readonly port: PortName;
}

const providers: readonly ProviderModule[] = [
  // The rail.
  { owner: 'pay', ...multicardSandbox },
  // Phones that share, and gateways that carry it.
  { owner: 'earn', ...trafficSandbox },
];

/** Those of the products that are on. */
export const providersOf = (on: Products): readonly ProviderModule[] =>
  providers.filter(({ owner }) => isOn(on, owner));

/** Commands that give a newcomer what a product can't begin without; what is there already stays. One line each. */
const seeds: readonly { readonly owner: Owner; readonly command: readonly string[] }[] = [
  // Nobody shares traffic that has no price.
  { owner: 'earn', command: ['demo', 'price'] },
];

/** Those of the products that are on. */
export const seedsOf = (on: Products): readonly (readonly string[])[] =>
  seeds.filter(({ owner }) => isOn(on, owner)).map(({ command }) => command);

/**
 * Before anything is started, as each process does by itself later.
 *
 * @throws ConfigError
 */
export function checkModules(config: Config, on: Products): void {
  for (const { owner, check } of modules) if (isOn(on, owner)) check(config);
}

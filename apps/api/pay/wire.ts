import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import type { Wired } from '../wire.ts';

/** Earners are people of the project whose book it is: an api without it would refuse each of them. */
export async function wirePay({ config, pools }: ApiPlatform): Promise<Wired> {
  await moneyBookAtStart(pools.hot, config);
  return { routes: [] };
}

import type { Products } from '../../domain/products.ts';
import { earnOps } from './earn/ops-view.ts';
import { payOps } from './pay/ops-view.ts';
import type { OpsView } from './staff/ops-view.ts';
import { verifyOps } from './verify/ops-view.ts';

type Alarms = NonNullable<OpsView['alarms']>;

/** What products add to staff's pages: one line each. */
export function opsView(on: Products): OpsView {
  const alarms: readonly Alarms[] = [
    ...(on.has('pay') ? [payOps.alarms] : []),
    ...(on.has('earn') ? [earnOps.alarms] : []),
  ];
  return {
    ...verifyOps,
    alarms: async (pool, now) => (await Promise.all(alarms.map((of) => of(pool, now)))).flat(),
  };
}

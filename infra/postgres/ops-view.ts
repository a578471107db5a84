import type { Products } from '../../domain/products.ts';
import { payOps } from './pay/ops-view.ts';
import type { OpsView } from './staff/ops-view.ts';
import { verifyOps } from './verify/ops-view.ts';

/** What products add to staff's pages: one line each. */
export const opsView = (on: Products): OpsView => ({
  ...verifyOps,
  ...(on.has('pay') ? payOps : {}),
});

import type { OpsView } from './staff/ops-view.ts';
import { verifyOps } from './verify/ops-view.ts';

/** What products add to staff's pages: one line each. */
export const opsView: OpsView = {
  ...verifyOps,
};

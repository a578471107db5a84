import { isOn, type Owner, type Products } from '../../domain/products.ts';
import type { AuditLog } from '../../domain/staff/audit.ts';
import type { Platform } from '../../infra/process/platform.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import type { DoorRoute } from '../http/route.ts';
import { wirePay } from './pay/wire.ts';

/** What the board offers the products that hand in routes. */
export interface BoardOffers {
  readonly audit: AuditLog;
}

/** What a product's `wire.ts` makes for the staff's door. */
export interface BoardModule {
  /** At `/staff/…` and `/finance/…` alone. */
  readonly routes: readonly DoorRoute[];
  /** Ends what would go on for as long as somebody listens. */
  readonly endStreams?: () => void;
  readonly close?: () => Promise<void>;
}

interface Module {
  readonly owner: Owner;
  readonly wire: (
    platform: Platform<ProcessConfig<'board'>>,
    offers: BoardOffers,
  ) => BoardModule | Promise<BoardModule>;
}

/** One line a context, with the product that it belongs to. */
const modules: readonly Module[] = [
  // The book and its statements.
  { owner: 'pay', wire: wirePay },
];

/** Those of the products that are on. */
export async function wireModules(
  platform: Platform<ProcessConfig<'board'>>,
  offers: BoardOffers,
  on: Products,
): Promise<readonly BoardModule[]> {
  const wired: BoardModule[] = [];
  for (const { wire } of modules.filter(({ owner }) => isOn(on, owner)))
    wired.push(await wire(platform, offers));
  return wired;
}

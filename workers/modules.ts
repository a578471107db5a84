import { isOn, type Owner, type Products } from '../domain/products.ts';
import { wireEarn } from './earn/wire.ts';
import { wireMessage } from './message/wire.ts';
import { wirePay } from './pay/wire.ts';
import { wireTelegram } from './telegram/wire.ts';
import { wireVerify } from './verify/wire.ts';
import { wireWebhook } from './webhook/wire.ts';
import type { Offers, WiredWorkers, WorkerPlatform } from './wire.ts';

interface Module {
  readonly owner: Owner;
  readonly wire: (platform: WorkerPlatform, offers: Offers) => WiredWorkers;
}

/** One line a context, with the product that it belongs to. Who takes what another offers stands behind it. */
const modules: readonly Module[] = [
  { owner: 'verify', wire: wireVerify },
  { owner: 'message', wire: wireMessage },
  { owner: 'pay', wire: wirePay },
  { owner: 'earn', wire: wireEarn },
  { owner: 'platform', wire: wireTelegram },
  { owner: 'platform', wire: wireWebhook },
];

/** The contexts of the products that are on. */
export function wireModules(platform: WorkerPlatform, on: Products): readonly WiredWorkers[] {
  const wired: WiredWorkers[] = [];
  let offers: Offers = {};
  for (const { wire } of modules.filter(({ owner }) => isOn(on, owner))) {
    const each = wire(platform, offers);
    offers = { ...offers, ...each.offers };
    wired.push(each);
  }
  return wired;
}

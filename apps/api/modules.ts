import { isOn, type Owner, type Products } from '../../domain/products.ts';
import type { ApiPlatform } from '../../infra/process/api-platform.ts';
import { wireEarn } from './earn/wire.ts';
import { wireIdentity } from './identity/wire.ts';
import { wireMessage } from './message/wire.ts';
import { wirePay } from './pay/wire.ts';
import { wireProject } from './project/wire.ts';
import { wireVerify } from './verify/wire.ts';
import { wireWebhook } from './webhook/wire.ts';
import type { Offers, Wired } from './wire.ts';

interface Module {
  readonly owner: Owner;
  readonly wire: (platform: ApiPlatform, offers: Offers) => Wired | Promise<Wired>;
}

/** One line a context, with the product that it belongs to. Who takes what another offers stands behind it. */
const modules: readonly Module[] = [
  { owner: 'verify', wire: wireVerify },
  { owner: 'platform', wire: wireIdentity },
  { owner: 'message', wire: wireMessage },
  { owner: 'platform', wire: wireWebhook },
  { owner: 'platform', wire: wireProject },
  { owner: 'earn', wire: wireEarn },
  { owner: 'pay', wire: wirePay },
];

/** The contexts of the products that are on. */
export async function wireModules(platform: ApiPlatform, on: Products): Promise<readonly Wired[]> {
  const wired: Wired[] = [];
  let offers: Offers = {};
  for (const { wire } of modules.filter(({ owner }) => isOn(on, owner))) {
    const each = await wire(platform, offers);
    offers = { ...offers, ...each.offers };
    wired.push(each);
  }
  return wired;
}

import type { JobRegistry } from './job/define-job.ts';
import { type JobKind, jobs } from './jobs.ts';

interface Definition {
  readonly kinds: readonly JobKind[];
  /** Products without which it can't be on. */
  readonly needs: readonly string[];
  /** On where `NAVBAT_PRODUCTS` says nothing. */
  readonly byDefault: boolean;
}

/** What an installation may be without (`NAVBAT_PRODUCTS`). All others are the platform's, on which they stand. */
const definitions = {
  verify: { kinds: ['otp-send'], needs: [], byDefault: true },
  message: { kinds: ['telegram-message', 'push'], needs: [], byDefault: true },
  // It tells people of their money by messages. Money is turned on by name.
  pay: { kinds: ['payout', 'payout-link'], needs: ['message'], byDefault: false },
  // What is earned is posted to the ledger of pay, and withdrawn there.
  earn: { kinds: ['traffic-report'], needs: ['pay'], byDefault: false },
} as const satisfies Readonly<Record<string, Definition>>;

export type Product = keyof typeof definitions;
export type Products = ReadonlySet<Product>;
export const products = Object.keys(definitions) as readonly Product[];
export const defaultProducts = products.filter((product) => definitions[product].byDefault);

/** Whose a part of a process is. */
export type Owner = 'platform' | Product;

export const isOn = (on: Products, owner: Owner): boolean => owner === 'platform' || on.has(owner);

/** Without which the product can't be on. */
export const needsOf = (product: Product): readonly Product[] => {
  const { needs }: Definition = definitions[product];
  return products.filter((other) => needs.includes(other));
};

/** The kinds of the platform, and of the products that are on. */
export function jobsOf(on: Products): JobRegistry {
  const off = new Set<string>(
    products.filter((product) => !on.has(product)).flatMap((product) => definitions[product].kinds),
  );
  return Object.fromEntries(Object.entries(jobs).filter(([kind]) => !off.has(kind)));
}

import type { JobRegistry } from './job/define-job.ts';
import { type JobKind, jobs } from './jobs.ts';

/** What an installation may be without (`NAVBAT_PRODUCTS`), with its kinds. All others are the platform's, on which they stand. */
const kindsOf = {
  verify: ['otp-send'],
  message: ['telegram-message', 'push'],
} as const satisfies Readonly<Record<string, readonly JobKind[]>>;

export type Product = keyof typeof kindsOf;
export type Products = ReadonlySet<Product>;
export const products = Object.keys(kindsOf) as readonly Product[];

/** Whose a part of a process is. */
export type Owner = 'platform' | Product;

export const isOn = (on: Products, owner: Owner): boolean => owner === 'platform' || on.has(owner);

/** The kinds of the platform, and of the products that are on. */
export function jobsOf(on: Products): JobRegistry {
  const off = new Set<string>(
    products.filter((product) => !on.has(product)).flatMap((product) => kindsOf[product]),
  );
  return Object.fromEntries(Object.entries(jobs).filter(([kind]) => !off.has(kind)));
}

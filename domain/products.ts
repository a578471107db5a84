import type { JobRegistry } from './job/define-job.ts';
import { type JobKind, jobs } from './jobs.ts';

/** What an installation may be without (`NAVBAT_PRODUCTS`). Everything else is the platform's, on which they stand. */
export const products = ['verify', 'message'] as const;
export type Product = (typeof products)[number];
export type Products = ReadonlySet<Product>;

/** Whose a part of a process is. */
export type Owner = 'platform' | Product;

export const isOn = (on: Products, owner: Owner): boolean => owner === 'platform' || on.has(owner);

const ownerOf: Readonly<Record<JobKind, Owner>> = {
  'otp-send': 'verify',
  'telegram-message': 'message',
  push: 'message',
  webhook: 'platform',
};

/** The kinds of the products that are on. */
export const jobsOf = (on: Products): JobRegistry =>
  Object.fromEntries(Object.entries(jobs).filter(([kind]) => isOn(on, ownerOf[kind as JobKind])));

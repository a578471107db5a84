import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { Explainer } from './explain.ts';
import { trafficExplainer } from './earn/explain.ts';
import { demoCommands } from './earn/demo.ts';
import { paymentExplainer } from './pay/explain.ts';
import { financeCommands } from './pay/finance.ts';
import { ledgerCommands } from './pay/ledger.ts';
import { staffPhoneCommands } from './pay/staff-phones.ts';
import { verificationExplainer } from './verify/explain.ts';
import { smsCommands } from './verify/sms.ts';

/** Commands of products: one line each. */
export const productCommands: readonly ((program: Command, context: CliContext) => void)[] = [
  // Where a provider of SMS reports.
  smsCommands,
  // Whether the ledger is what was signed.
  ledgerCommands,
  // Batches of payouts, over HTTP.
  financeCommands,
  // Who of the staff is paid by which phone.
  staffPhoneCommands,
  // Phones that share their traffic, in a sandbox.
  demoCommands,
];

/** What `explain` tells of, each by ids of its own: one line each. */
export const explainers: readonly Explainer[] = [
  verificationExplainer,
  // Where money came from, and where it went.
  paymentExplainer,
  // What traffic earned, and why some of it did not.
  trafficExplainer,
];

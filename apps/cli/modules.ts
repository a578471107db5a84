import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { financeCommands } from './pay/finance.ts';
import { ledgerCommands } from './pay/ledger.ts';
import { explainCommand } from './verify/explain.ts';
import { smsCommands } from './verify/sms.ts';

/** Commands of products: one line each. */
export const productCommands: readonly ((program: Command, context: CliContext) => void)[] = [
  // What happened to a verification.
  explainCommand,
  // Where a provider of SMS reports.
  smsCommands,
  // Whether the ledger is what was signed.
  ledgerCommands,
  // Batches of payouts, over HTTP.
  financeCommands,
];

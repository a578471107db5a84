import type { BankParty } from './file.ts';

/** `00444:20208000900123456001:301234567:OOO Navbat`: code of the bank, account, tax id and name. */
const PAYER = /^(\d{5}):(\d{20}):(\d{9}|\d{14}):(\S.{0,158}\S)$/u;

/** Ours, whose account pays. @throws where it is not written so; its variable is checked at the start of a process. */
export function payerOf(text: string): BankParty {
  const [, bankCode, account, taxId, name] = PAYER.exec(text) ?? [];
  if (bankCode === undefined || account === undefined || taxId === undefined || name === undefined)
    throw new TypeError('expected <code of the bank>:<account>:<tax id>:<name>');
  return { bankCode, account, taxId, name };
}

/** An account at a bank: 20 digits, and the 5 of the bank (MFO). */
export interface BankAccount {
  readonly account: string;
  readonly mfo: string;
}

/** What stands encrypted with a destination of the rail `bank-file`, in place of a rail's token. */
export const bankToken = ({ account, mfo }: BankAccount): string => `${mfo}:${account}`;

const TOKEN = /^(\d{5}):(\d{20})$/;

/** @throws where it is no such token. */
export function readBankToken(token: string): BankAccount {
  const [, mfo, account] = TOKEN.exec(token) ?? [];
  // Its text is a secret: an error shows none of it.
  if (mfo === undefined || account === undefined)
    throw new TypeError('not the token of an account at a bank');
  return { mfo, account };
}

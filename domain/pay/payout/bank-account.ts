/** An account at a bank: 20 digits, and the 5 of the bank (MFO). */
export interface BankAccount {
  readonly account: string;
  readonly mfo: string;
}

/** What stands encrypted with a destination of the rail `bank-file`, in place of a rail's token. */
export const bankToken = ({ account, mfo }: BankAccount): string => `${mfo}:${account}`;

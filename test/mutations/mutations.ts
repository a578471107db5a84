import type { Mutation } from './mutation.ts';
import { askingMutations } from './pay/asking.ts';
import { bankMutations } from './pay/bank.ts';
import { batchMutations } from './pay/batches.ts';
import { chainMutations } from './pay/chain.ts';
import { dispatchMutations } from './pay/dispatch.ts';
import { ledgerMutations } from './pay/ledger.ts';
import { linkMutations } from './pay/links.ts';
import { railMutations } from './pay/rail.ts';
import { roleMutations } from './roles.ts';
import { staffMutations } from './staff.ts';

export const mutations: Readonly<Record<string, readonly Mutation[]>> = {
  ledger: [...ledgerMutations, ...chainMutations],
  rail: railMutations,
  bank: bankMutations,
  payouts: [...askingMutations, ...batchMutations],
  dispatch: dispatchMutations,
  links: linkMutations,
  staff: staffMutations,
  roles: roleMutations,
};

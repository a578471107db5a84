import type { Mutation } from './mutation.ts';
import { earnMutations } from './earn/earn.ts';
import { wordsMutations } from './earn/words.ts';
import { peopleMutations } from './earn/people.ts';
import { askingMutations } from './pay/asking.ts';
import { bankMutations } from './pay/bank.ts';
import { batchMutations } from './pay/batches.ts';
import { chainMutations } from './pay/chain.ts';
import { dispatchMutations } from './pay/dispatch.ts';
import { httpMutations } from './pay/http.ts';
import { ledgerMutations } from './pay/ledger.ts';
import { linkMutations } from './pay/links.ts';
import { listMutations } from './pay/lists.ts';
import { railMutations } from './pay/rail.ts';
import { settlingMutations } from './pay/settling.ts';
import { roleMutations } from './roles.ts';
import { staffMutations } from './staff.ts';

export const mutations: Readonly<Record<string, readonly Mutation[]>> = {
  ledger: [...ledgerMutations, ...chainMutations],
  rail: railMutations,
  bank: [...bankMutations, ...settlingMutations],
  payouts: [...askingMutations, ...batchMutations],
  dispatch: dispatchMutations,
  links: linkMutations,
  lists: listMutations,
  http: httpMutations,
  earn: [...earnMutations, ...wordsMutations, ...peopleMutations],
  staff: staffMutations,
  roles: roleMutations,
};

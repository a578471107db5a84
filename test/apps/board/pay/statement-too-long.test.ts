import { expect, test } from 'vitest';
import { financeRoutes } from '../../../../apps/board/pay/finance.routes.ts';
import { AccountId } from '../../../../domain/pay/ledger/accounts.ts';
import type { LedgerReads } from '../../../../domain/pay/ledger/reads.ts';

const id = AccountId.parse('42');

/** A book of so many lines, which no test posts: counted as the real one is, no further than asked. */
function asked(lines: number) {
  const reads = {
    account: async () => ({ id }),
    statement: async () => ({ account: id, after: 0n, upTo: 9_000_000n, opening: 0n, closing: 0n }),
    countLines: async (_span: unknown, max: number) => Math.min(lines, max),
  } as unknown as LedgerReads;
  const route = financeRoutes({ reads }).find(({ path }) => path.endsWith('/transfers'));
  return route?.handle({ params: { id }, query: { format: 'csv' }, wantsCsv: true } as never);
}

test('a file of a million lines is made, and one more line is refused before it begins', async () => {
  expect(await asked(1_000_000)).toMatchObject({ status: 200, file: { name: 'statement-42.csv' } });
  await expect(asked(1_000_001)).rejects.toMatchObject({ status: 422, type: 'statement-too-long' });
});

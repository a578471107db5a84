import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { RailToken } from '../../../../../domain/pay/rail/port.ts';
import { multicardFromConfig } from '../../../../../infra/providers/pay/from-config.ts';
import { readConfig } from '../../../../../infra/process/config.ts';
import { processVariables } from '../../../../../infra/process/variables.ts';

const Given = z.object({
  BENCH_PAYMENTS: z.coerce.number().int().min(1),
  BENCH_CONCURRENCY: z.coerce.number().int().min(1),
});
const AMOUNT = 1_000_000n;

/** The rail's own client in a loop, as many payments at once as a worker makes calls: draft, confirm, and nothing kept of either. */
const { BENCH_PAYMENTS, BENCH_CONCURRENCY } = Given.parse(process.env);
const rail = await multicardFromConfig(readConfig(process.env, processVariables.payout), () => new Date());
if (rail === null) throw new Error('no account of Multicard');
const { signal } = new AbortController();
console.log('ready');
let next = 0;
await Promise.all(
  Array.from({ length: BENCH_CONCURRENCY }, async () => {
    while (next < BENCH_PAYMENTS) {
      const order = {
        reference: `bare-${randomUUID()}`,
        token: new RailToken(`sim0x${next++}`),
        amount: AMOUNT,
      };
      const draft = await rail.draft(order, signal);
      if (draft.kind !== 'answered') throw new Error(`a draft was ${draft.kind}`);
      const payment = await rail.confirm(draft.value.uuid, signal);
      if (payment.kind !== 'answered' || payment.value.status !== 'success')
        throw new Error(`a confirmation was ${payment.kind}`);
    }
  }),
);
console.log(JSON.stringify({ bench: 'bare', payments: BENCH_PAYMENTS }));
setInterval(() => undefined, 1_000);

import type pg from 'pg';
import type { Acted, BatchActs } from '../../../../domain/pay/finance/acts.ts';
import type { BatchNow } from '../../../../domain/pay/batch/port.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { batchStore } from '../batch/store.ts';

/** What staff do with batches over HTTP. Each is one statement, and so one commit. */
export function batchActs(pool: pg.Pool, book: ProjectId): BatchActs {
  const store = batchStore(book);
  return {
    create: (rail, name, staffId) =>
      orRefused(async () => ({ ok: true, id: (await store.create(pool, { rail, name, staffId })).id })),
    add: (act, payouts) => acted(store.add(pool, act, payouts)),
    drop: (act, lines, reason) => acted(store.drop(pool, act, lines, reason)),
    submit: (act) => acted(store.submit(pool, act)),
    withdraw: (act, reason) => acted(store.withdraw(pool, act, reason)),
    reject: (act, reason) => acted(store.reject(pool, act, reason)),
    approve: (act, read, proofId) => acted(store.approve(pool, act, read, proofId)),
    run: (act, at) => acted(store.run(pool, act, at)),
    pause: (act, reason) => acted(store.pause(pool, act, reason)),
    resume: (act) => acted(store.resume(pool, act)),
    cancelRest: (act, reason) => acted(store.cancelRest(pool, act, reason)),
    close: (act) => acted(store.close(pool, act)),
  };
}

const acted = (asked: Promise<BatchNow>): Promise<Acted> =>
  orRefused(async () => ({ ok: true, now: await asked }));

/** A refusal is an answer; whatever else is thrown is a fault. */
async function orRefused<Done>(work: () => Promise<Done>): Promise<Done | Extract<Acted, { ok: false }>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MoneyRefusedError) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

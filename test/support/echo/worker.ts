import type pg from 'pg';
import type { Provider } from '../../../domain/job/guard.ts';
import type { Wake } from '../../../domain/job/wake.ts';
import { jobStore } from '../../../infra/postgres/job/attempts.ts';
import { type SingleJobRow, singleJobs } from '../../../infra/postgres/job/single.ts';
import type { Logger } from '../../../infra/process/log.ts';
import { tellJobs } from '../../../infra/process/tell-jobs.ts';
import { guard } from '../../../infra/providers/provider-guard.ts';
import { singleWake } from '../../../workers/engine/single.ts';
import { echo, echoSettle } from './echo.ts';

interface EchoWork {
  readonly word: string;
}

/** Says back what it is told, refuses to be shouted at, and hears nothing while it `isDeaf`. */
export function cave() {
  const heard: string[] = [];
  const state = { isDeaf: false };
  const provider: Provider<EchoWork> = {
    channel: 'air',
    provider: 'cave',
    send({ word }) {
      if (state.isDeaf) return Promise.resolve({ kind: 'faulted', reason: 'network' });
      heard.push(word);
      return Promise.resolve(
        word === word.toUpperCase()
          ? { kind: 'refused', reason: 'message-invalid', addressIsDead: false }
          : { kind: 'accepted', reference: word, cost: null },
      );
    },
  };
  return { heard, state, provider };
}

export function echoWake(
  pool: pg.Pool,
  provider: Provider<EchoWork>,
  log: Pick<Logger, 'info'>,
  change: Partial<Pick<typeof echo, 'delaysMs' | 'unknownMax' | 'attemptsMax'>> = {},
): Wake {
  const now = () => new Date();
  const guarded = guard(provider, { inFlightMax: echo.concurrency, clock: now });
  return singleWake({
    definition: { ...echo, ...change },
    read: singleJobs<SingleJobRow, EchoWork>(pool, {
      kind: echo.kind,
      work: ({ payload }) => echo.payload.safeParse(payload).data ?? null,
    }),
    store: jobStore(pool, now, echoSettle),
    providerOf: () => guarded,
    now,
    random: () => 0,
    ...tellJobs(log, echo.kind),
  });
}

import { METER_SESSIONS_MAX } from '../../domain/earn/traffic/job.ts';
import type { Provider } from '../../domain/job/guard.ts';
import type { SessionId } from '../../domain/earn/ids.ts';
import type { WaitingSessions } from '../../domain/earn/traffic/port.ts';
import type { JobId } from '../../domain/shared/ids.ts';

interface MeterJob {
  readonly jobId: JobId;
}

interface MeterDeps {
  readonly waiting: WaitingSessions;
  /** Joins those that are asked for together. */
  readonly meter: (sessionId: SessionId) => Promise<unknown>;
  /** Without a session: which ones wait could not be read. */
  readonly onFault: (error: unknown, sessionId: SessionId | null) => void;
}

/**
 * A provider that is a batched write: metering calls nobody outside. Repeated it meters what is left. One session that can't be metered keeps
 * none of the others waiting.
 */
export const meterProvider = ({ waiting, meter, onFault }: MeterDeps): Provider<MeterJob, 'meter'> => {
  const meterAll = async (ids: readonly SessionId[]): Promise<number> => {
    const done = await Promise.allSettled(ids.map(meter));
    for (const [index, one] of done.entries())
      if (one.status === 'rejected') onFault(one.reason, ids[index] ?? null);
    return done.filter(({ status }) => status === 'rejected').length;
  };
  return {
    channel: 'meter',
    provider: 'meter',
    send: async ({ jobId }, signal) => {
      let [after, faults]: [SessionId | null, number] = [null, 0];
      do {
        const ids: readonly SessionId[] = await waiting(jobId, after).catch((error: unknown) => {
          onFault(error, null);
          faults += 1;
          return [];
        });
        faults += await meterAll(ids);
        after = ids.length < METER_SESSIONS_MAX ? null : (ids.at(-1) ?? null);
      } while (after !== null && !signal.aborted);
      if (faults === 0 && !signal.aborted) return { kind: 'accepted', reference: null, cost: null };
      return { kind: 'faulted', reason: 'provider-internal' };
    },
  };
};

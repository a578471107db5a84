import type { Logger } from '../../infra/process/log.ts';
import { railCallsTotal } from '../../infra/process/metrics.ts';
import type { PayoutDeps } from './payout.ts';

/** Counts the calls, and logs what people have to know. No amount and no card stands in a log. */
export function tellPayouts(
  log: Pick<Logger, 'info' | 'error'>,
): Pick<PayoutDeps, 'onCall' | 'onMoved' | 'onBug'> {
  return {
    onCall: ({ dispatchId, call: { n, what }, heard, latencyMs }) => {
      railCallsTotal.inc({ rail: 'multicard', what, outcome: heard.kind });
      const because =
        heard.kind === 'answered' ? heard.status : heard.kind === 'refused' ? heard.because : undefined;
      log.info(
        { dispatch_id: dispatchId, call: n, what, outcome: heard.kind, because, latency_ms: latencyMs },
        'rail call',
      );
    },
    onMoved: (dispatchId, { to, reason, stopsRail }) => {
      if (stopsRail)
        log.error(
          { dispatch_id: dispatchId, reason: stopsRail },
          'the rail stopped itself; two people open it: see docs/operations.md, Paying',
        );
      if (to === 'stuck')
        log.error(
          { dispatch_id: dispatchId, reason },
          'a payment waits for people; see docs/operations.md, Paying',
        );
    },
    onBug: (err, dispatchId) =>
      log.error({ err, dispatch_id: dispatchId }, 'a rail call failed unexpectedly'),
  };
}

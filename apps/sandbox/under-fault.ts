import type { Fault, ReportOrder } from './fault.ts';
import type { Reply, Trace } from './http.ts';
import type { Fate } from './message.ts';
import { randomFrom } from './random.ts';
import type { Timers } from './timers.ts';

/** How one provider words what goes wrong. */
export interface Dialect {
  rejected(code: string): Reply;
  rateLimited(retryAfterSeconds: number): Reply;
  failed(status: number): Reply;
}

/** What an accepted message has before it. */
export interface FaultOutcome {
  fate: Fate;
  errorCode?: number | string;
  /** What the provider reports of it, where that is not its fate. */
  says?: 'nothing' | 'delivered';
  reports?: ReportOrder;
}

/** Where each order that loses a share is in its draw. */
const draws = new WeakMap<Fault, () => number>();

function isLost(fault: Extract<Fault, { effect: 'lossy' }>): boolean {
  const draw = draws.get(fault) ?? randomFrom(fault.seed);
  draws.set(fault, draw);
  return draw() < fault.share;
}

/**
 * Lets a call happen as the fault says: `accept` takes the message over (or not at all, or only to fall silent).
 * Without a fault it is simply accepted and delivered.
 */
export async function underFault(
  fault: Fault | undefined,
  { dialect, timers, trace }: { dialect: Dialect; timers: Timers; trace: Trace },
  accept: (faultOutcome: FaultOutcome) => Promise<Reply> | Reply,
): Promise<Reply> {
  if (!fault) return accept({ fate: 'delivered' });
  trace.fault = fault.effect;
  if (fault.delay_ms > 0) await timers.sleep(fault.delay_ms);
  switch (fault.effect) {
    case 'slow':
      return accept({ fate: 'delivered' });
    case 'reject':
      return dialect.rejected(String(fault.code));
    case 'rate-limit':
      return dialect.rateLimited(fault.retry_after_seconds);
    case 'server-error':
      return dialect.failed(fault.status);
    case 'answer':
      if (fault.taken) await accept({ fate: 'delivered' });
      return { status: fault.status, headers: fault.headers, body: fault.body };
    case 'hang-before':
      return { hangMs: fault.hang_ms };
    case 'hang-after':
      await accept({ fate: 'delivered' });
      return { hangMs: fault.hang_ms };
    case 'never-delivered':
      return accept({ fate: 'lost' });
    case 'undelivered':
      return accept({ fate: 'undelivered', errorCode: fault.code });
    case 'reports':
      return accept({ fate: 'delivered', reports: fault });
    case 'lossy':
      return accept(isLost(fault) ? { fate: 'lost', says: fault.says } : { fate: 'delivered' });
  }
}

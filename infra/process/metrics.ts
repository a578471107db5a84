import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AttemptOutcome, FinalState } from '../../domain/job/job.ts';

/** What this process counts. Each process has its own registry and its own `/metrics`; a scraper adds them up. */
export const metrics = new Registry();
collectDefaultMetrics({ register: metrics, prefix: 'navbat_' });

/** `route` is the OpenAPI path, never the path of the request: ids would make a series each. */
export const httpSeconds = new Histogram({
  name: 'navbat_http_request_seconds',
  help: 'Time from the request line to the last byte of the answer.',
  labelNames: ['method', 'route', 'status'] as const,
  // The intake answers within some ms; a batch waits for a commit; a duplicate waits up to 2 s for the winner.
  buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
  registers: [metrics],
});

/** `reason` is the limit (`key`, `address`, `session` …), or the type of the problem: a closed set. */
export const httpLimited = new Counter({
  name: 'navbat_http_limited_total',
  help: 'Requests answered 429, by the limit that they met.',
  labelNames: ['method', 'route', 'reason'] as const,
  registers: [metrics],
});

/** Rows that went together: `batch` is intake, open, close or publish. */
export const batchSize = new Histogram({
  name: 'navbat_batch_size',
  help: 'Rows written in one statement.',
  labelNames: ['batch'] as const,
  buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  registers: [metrics],
});

/** Calls to rails, made by this process. */
export const railCallsTotal = new Counter<'rail' | 'what' | 'outcome'>({
  name: 'navbat_rail_calls_total',
  help: 'Calls to rails that move money, by what they ask and how they ended.',
  labelNames: ['rail', 'what', 'outcome'],
  registers: [metrics],
});

/** Attempts closed by this process. `channel` is empty for a kind that has none. */
export const attemptsTotal = new Counter<keyof AttemptLabels>({
  name: 'navbat_attempts_total',
  help: 'Attempts closed, by how they ended.',
  labelNames: ['kind', 'channel', 'provider', 'outcome'],
  registers: [metrics],
});
export interface AttemptLabels {
  readonly kind: string;
  readonly channel: string;
  readonly provider: string;
  readonly outcome: AttemptOutcome;
}

/** Alert on it: it passes what people switched off. */
export const criticalMessages = new Counter({
  name: 'navbat_critical_messages_total',
  help: 'Recipients of critical messages, which pass quiet hours and categories that are switched off.',
  labelNames: ['kind'] as const,
  registers: [metrics],
});

export const jobsFinished = new Counter<keyof JobFinishedLabels>({
  name: 'navbat_jobs_finished_total',
  help: 'Jobs that reached a final state in this process.',
  labelNames: ['kind', 'state'],
  registers: [metrics],
});
/** Alert on it: SMS pumping shows here first. */
export const budgetsHalfSpent = new Counter({
  name: 'navbat_budgets_half_spent_total',
  help: "Times that half of a project's daily budget for paid messages was spent.",
  registers: [metrics],
});
/** Alert on it: somebody posts reports who may not, the broker reports another installation's messages to this one, or in a new form. */
export const reportsUnknown = new Counter({
  name: 'navbat_sms_reports_unknown_total',
  help: 'Delivery reports of messages that this installation did not send, or has erased, and those in no form that it knows.',
  labelNames: ['provider', 'because'] as const,
  registers: [metrics],
});
/** Alert on it: a list in another form than we know says of no text that it is not approved, so that refused texts cost attempts. */
export const smsTemplatesUnread = new Counter({
  name: 'navbat_sms_templates_unread_total',
  help: 'Entries that were not understood, of the readings of what a provider of SMS approves.',
  labelNames: ['provider'] as const,
  registers: [metrics],
});
/** Alert on it before it is empty. A provider that tells no balance is shown at 0 from when it says that it is empty until it takes a message. */
export const smsBalance = new Gauge({
  name: 'navbat_sms_balance',
  help: 'What the account at a provider of SMS holds, in soʻm, as this worker was last told.',
  labelNames: ['provider'] as const,
  registers: [metrics],
});
/** Alert on it: what is in no block yet may be changed unseen. */
export const ledgerOpenTransfers = new Gauge({
  name: 'navbat_ledger_open_transfers',
  help: 'Transfers of a book that are in no block yet, as this worker saw last.',
  labelNames: ['book'] as const,
  registers: [metrics],
});
export const ledgerClosedAt = new Gauge({
  name: 'navbat_ledger_closed_timestamp_seconds',
  help: 'When the last block of a book was closed, in Unix time.',
  labelNames: ['book'] as const,
  registers: [metrics],
});
/** For what ends jobs in Postgres without a worker: an approval, a cancellation, a newer send, the reconciler. */
export function countFinished(kind: string, state: FinalState, jobs: number): void {
  if (jobs > 0) jobsFinished.inc({ kind, state }, jobs);
}
interface JobFinishedLabels {
  readonly kind: string;
  readonly state: FinalState;
}

export interface KindDepth {
  readonly kind: string;
  /** Jobs accepted and not finished. */
  readonly unfinished: number;
  /** Of those, jobs that no worker has opened yet. */
  readonly waiting: number;
  /** Since the oldest job became due that waits still; 0 where none does. */
  readonly oldestWaitingSeconds: number;
}

/**
 * Shows at each scrape what `read` says; a kind that it no longer names leaves the page. The gauges of one page are
 * collected side by side, so `read` must be remembered for a moment by whoever gives it.
 */
export function exposeDepth(read: () => Promise<readonly KindDepth[]>): void {
  depthGauge(
    'navbat_queue_unfinished_jobs',
    'Jobs accepted and not finished, from Postgres.',
    read,
    (kind) => kind.unfinished,
  );
  depthGauge(
    'navbat_queue_waiting_jobs',
    'Jobs that wait for their first attempt, or are due for a further one, from Postgres.',
    read,
    (kind) => kind.waiting,
  );
  depthGauge(
    'navbat_queue_oldest_waiting_seconds',
    'Age of the oldest job that is due and waits, from Postgres.',
    read,
    (kind) => kind.oldestWaitingSeconds,
  );
}

function depthGauge(
  name: string,
  help: string,
  read: () => Promise<readonly KindDepth[]>,
  valueOf: (kind: KindDepth) => number,
): void {
  new Gauge({
    name,
    help,
    labelNames: ['kind'] as const,
    registers: [metrics],
    async collect() {
      const kinds = await read();
      this.reset();
      for (const depth of kinds) this.set({ kind: depth.kind }, valueOf(depth));
    },
  });
}

import { z } from 'zod';
import type { JobState } from '../job/job.ts';
import type { DisabledReason } from '../webhook/port.ts';

/** A worker writes a sign of life every five seconds: after three that are missing it is gone. */
const HEARTBEAT_LATE_MS = 15_000;
/** A waiting job that is older has probably no worker, or too few. */
export const WAITING_OLD_MS = 30_000;
/** A restart of a receiver takes minutes; what fails for longer is looked at by nobody. */
const FAILING_LONG_MS = 15 * 60_000;
/** The rule of the circuit breaker (`infra/providers/provider-guard.ts`): more than half of at least ten. */
const ATTEMPTS_MIN = 10;
const FAULT_SHARE_MAX = 0.5;
/** Attempts of so many minutes are counted. */
export const PROVIDER_MINUTES = 10;

/** What the record says of the things that must not stand still. */
export interface AlarmFacts {
  /** Each kind's age of the oldest job that is due and not opened: for its first attempt, or for a further one. */
  readonly waiting: readonly {
    readonly kind: string;
    readonly jobs: number;
    readonly oldestDueAt: Date | null;
    readonly oldestState: JobState | null;
  }[];
  readonly heartbeats: readonly {
    readonly roles: readonly string[];
    readonly reconciledAt: Date | null;
    readonly at: Date;
  }[];
  readonly queues: readonly {
    readonly kind: string;
    readonly pausedAt: Date | null;
    readonly pausedBy: string | null;
    readonly pausedReason: string | null;
  }[];
  readonly endpoints: readonly EndpointFacts[];
  readonly providers: readonly {
    readonly provider: string;
    readonly attempts: number;
    readonly faults: number;
  }[];
  readonly accounts: readonly {
    readonly provider: string;
    readonly balanceMicros: string | null;
    readonly currency: string | null;
    readonly lowSince: Date | null;
  }[];
}

/** An endpoint, or the host of a `callback_url`, that does not answer as it should. */
export interface EndpointFacts {
  readonly project: string;
  readonly host: string;
  /** Null of a `callback_url`. */
  readonly endpointId: string | null;
  readonly failingSince: Date | null;
  readonly disabledReason: DisabledReason | null;
  /** What that reason means, in words for whoever reads it; null where it is not disabled. */
  readonly disabledMeaning: string | null;
  /** Events that wait for it. */
  readonly stuck: number;
}

export const alarmKinds = [
  'no-worker',
  'reconciler-stopped',
  'jobs-waiting',
  'queue-paused',
  'provider-failing',
  'balance-low',
  'endpoint-failing',
  'endpoint-disabled',
  'ledger-open',
  'ledger-day-unsigned',
  'ledger-head-unsent',
  'ledger-unreadable',
  'rail-stopped',
  'payments-stuck',
  'payouts-overdue',
  'payees-unreachable',
  'link-sms-spent',
  'money-differs',
  'price-carried',
  'days-open',
  'address-data-old',
] as const;
export type AlarmKind = (typeof alarmKinds)[number];

export interface Alarm {
  readonly alarm: AlarmKind;
  /** A kind, a provider, or a project and a host. */
  readonly subject: string;
  readonly since: Date | null;
  readonly says: string;
  readonly nextStep: string;
  readonly link: string | null;
}

/** An alarm that a product brings. */
export const ProductAlarm = z.object({
  alarm: z.enum(alarmKinds),
  subject: z.string(),
  since: z.date().nullable(),
  says: z.string(),
  nextStep: z.string(),
  link: z.string().nullable(),
}) satisfies z.ZodType<Alarm>;

/** Everything that somebody must look at now, worst first. `kinds`: those that this installation works on. */
export function alarmsOf(all: AlarmFacts, kinds: readonly string[], now: Date): Alarm[] {
  const isWorkedOn = ({ kind }: { readonly kind: string }) => kinds.includes(kind);
  const facts = { ...all, waiting: all.waiting.filter(isWorkedOn), queues: all.queues.filter(isWorkedOn) };
  return [
    ...workerAlarms(facts, kinds, now),
    ...reconcilerAlarms(facts, now),
    ...facts.queues.flatMap(pauseAlarm),
    ...waitingAlarms(facts, now),
    ...facts.providers.flatMap(providerAlarm),
    ...facts.accounts.flatMap(balanceAlarm),
    ...facts.endpoints.flatMap((endpoint) => endpointAlarm(endpoint, now)),
  ];
}

/** Of the future it is from before a sandbox's clock was moved back: only who lives writes it anew. */
const isFresh = (at: Date, now: Date): boolean => Math.abs(now.getTime() - at.getTime()) <= HEARTBEAT_LATE_MS;

function workerAlarms({ heartbeats }: AlarmFacts, kinds: readonly string[], now: Date): Alarm[] {
  const worked = new Set(heartbeats.filter(({ at }) => isFresh(at, now)).flatMap(({ roles }) => roles));
  return kinds
    .filter((kind) => !worked.has(kind))
    .map((kind) => ({
      alarm: 'no-worker',
      subject: kind,
      since: lastAt(heartbeats.filter(({ roles }) => roles.includes(kind)).map(({ at }) => at)),
      says: `No worker takes jobs of the kind ${kind}.`,
      nextStep: `Start one: npm run worker -- ${kind}. Its log says why it ended.`,
      link: jobsLink({ kind, state: 'queued' }),
    }));
}

function reconcilerAlarms({ heartbeats }: AlarmFacts, now: Date): Alarm[] {
  const rounds = heartbeats.flatMap(({ reconciledAt }) => reconciledAt ?? []);
  if (rounds.some((at) => isFresh(at, now))) return [];
  return [
    {
      alarm: 'reconciler-stopped',
      subject: 'reconciler',
      since: lastAt(rounds),
      says: 'The reconciler does not run: lost queue entries, deadlines and turns of messages wait for it.',
      nextStep: 'Start it: npm run worker -- reconciler. If it runs, its log says why no round ends.',
      link: null,
    },
  ];
}

const lastAt = (times: readonly Date[]): Date | null =>
  times.length === 0 ? null : new Date(Math.max(...times.map((at) => at.getTime())));

function pauseAlarm({ kind, pausedAt, pausedBy, pausedReason }: AlarmFacts['queues'][number]): Alarm[] {
  if (!pausedAt) return [];
  return [
    {
      alarm: 'queue-paused',
      subject: kind,
      since: pausedAt,
      says: `${kind} is paused by ${pausedBy ?? 'somebody'}: ${pausedReason ?? 'no reason was given'}.`,
      nextStep: 'Resume it as soon as the cause is gone: jobs expire while they wait.',
      link: '/ops/queues',
    },
  ];
}

function waitingAlarms({ waiting, queues }: AlarmFacts, now: Date): Alarm[] {
  const paused = new Set(queues.filter(({ pausedAt }) => pausedAt).map(({ kind }) => kind));
  return waiting
    .filter(({ kind, oldestDueAt }) => !paused.has(kind) && isOld(oldestDueAt, now))
    .map(({ kind, jobs, oldestDueAt, oldestState }) => ({
      alarm: 'jobs-waiting',
      subject: kind,
      since: oldestDueAt,
      says: `No worker opens jobs of the kind ${kind}: ${jobs} due.`,
      nextStep: `Look whether its workers run and answer, and start more: npm run worker -- ${kind}.`,
      link: jobsLink({ kind, state: oldestState ?? 'queued' }),
    }));
}

const isOld = (dueAt: Date | null, now: Date): boolean =>
  dueAt !== null && now.getTime() - dueAt.getTime() > WAITING_OLD_MS;

function providerAlarm({ provider, attempts, faults }: AlarmFacts['providers'][number]): Alarm[] {
  if (attempts < ATTEMPTS_MIN || faults <= attempts * FAULT_SHARE_MAX) return [];
  return [
    {
      alarm: 'provider-failing',
      subject: provider,
      since: null,
      says: `${faults} of ${attempts} attempts at ${provider} failed in the last ${PROVIDER_MINUTES} minutes: its circuit breaker opens.`,
      nextStep: "Look at the provider's status page, its balance and our credentials.",
      link: '/ops/failures?hours=1',
    },
  ];
}

const MICROS = 1_000_000;

function balanceAlarm({
  provider,
  balanceMicros,
  currency,
  lowSince,
}: AlarmFacts['accounts'][number]): Alarm[] {
  if (!lowSince || balanceMicros === null) return [];
  const balance = Math.floor(Number(balanceMicros) / MICROS);
  return [
    {
      alarm: 'balance-low',
      subject: provider,
      since: lowSince,
      says:
        balance === 0
          ? `The balance at ${provider} is used up.`
          : `The balance at ${provider} is low: ${balance} ${currency}.`,
      nextStep: `Fill the account at ${provider}. SMS_BALANCE_LOW_UZS is the threshold.`,
      link: null,
    },
  ];
}

function endpointAlarm(endpoint: EndpointFacts, now: Date): Alarm[] {
  const { project, host, failingSince, disabledReason, disabledMeaning, stuck } = endpoint;
  const subject = `${project} · ${host}`;
  const callsLink = (state: JobState) => jobsLink({ kind: 'webhook', project, state });
  if (disabledReason === 'gone' || disabledReason === 'failing') {
    const nextStep = `Tell the project ${project}: it corrects the receiver, enables the endpoint and replays what it missed.`;
    return [
      {
        alarm: 'endpoint-disabled',
        subject,
        since: failingSince,
        says: `Disabled. ${disabledMeaning}`,
        nextStep,
        link: callsLink('rejected'),
      },
    ];
  }
  if (!failingSince || now.getTime() - failingSince.getTime() < FAILING_LONG_MS) return [];
  const says = `No call succeeds; ${stuck} events wait for it.`;
  const nextStep = `Tell the project ${project}; an endpoint is disabled after five days of failures.`;
  const link = callsLink('retrying');
  return [{ alarm: 'endpoint-failing', subject, since: failingSince, says, nextStep, link }];
}

const jobsLink = (query: { readonly kind: string; readonly project?: string; readonly state: JobState }) =>
  `/ops/jobs?${new URLSearchParams({ ...query }).toString()}`;

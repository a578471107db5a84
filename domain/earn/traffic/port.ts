import type { SessionId } from '../ids.ts';
import type { JobId, ProjectId } from '../../shared/ids.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { MeteredDay } from './meter.ts';

/** How often a phone is asked to report. */
export const REPORT_EVERY_SECONDS = 60;
/** Of one request: a phone that was without a network for sixteen hours catches up in one. */
export const REPORTS_MAX = 1_000;
/** Of one session: one every 17 s of its day. All are read to meter it. */
export const SESSION_REPORTS_MAX = 5_000;
/** What gateways report of one session: seven a minute of its day. With so many the sum of its bytes fits its row. */
export const CARRIED_REPORTS_MAX = 10_000;
/** Of one person in 24 hours: a phone that loses its network starts a new one a few times an hour. Each is metered, and may be appealed. */
export const SESSIONS_A_DAY_MAX = 100;
/** Of one person, in the last thirty days. Each has one open session at most. */
export const INSTALLATIONS_MAX = 3;

/** What a phone counted, as it says. */
export interface ClaimedReport {
  readonly seq: number;
  readonly measuredAt: Date;
  /** Totals since the session began. */
  readonly up: bigint;
  readonly down: bigint;
}

export interface ReportOrder {
  readonly sessionId: SessionId;
  readonly personId: string;
  readonly reports: readonly ClaimedReport[];
}

export type ReportAnswer =
  | {
      readonly ok: true;
      readonly accepted: number;
      readonly repeated: number;
      /** Of those repeated, how many said something else. */
      readonly conflicts: number;
      readonly jobId: string | null;
    }
  | { readonly ok: false; readonly reason: 'unknown-session' | 'session-over' | 'session-full' };

export type StartAnswer =
  | { readonly ok: true; readonly sessionId: SessionId }
  | { readonly ok: false; readonly reason: 'session-open'; readonly sessionId: SessionId }
  | {
      readonly ok: false;
      readonly reason: 'no-price' | 'too-many-installations' | 'too-many-sessions' | 'person-blocked';
    };

interface StoppedSession {
  readonly sessionId: SessionId;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly days: readonly MeteredDay[];
}

export interface TrafficSession {
  readonly id: SessionId;
  readonly installationId: string;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly reports: number;
}

/** All that is named has to fit. */
export interface SessionFilter {
  readonly isOpen?: boolean | undefined;
  /** Those that began then or later. */
  readonly from?: Date | undefined;
  /** Those that began before. */
  readonly before?: Date | undefined;
}

/** Sessions of people who share their traffic. */
export interface TrafficSessions {
  /** @param country of the address that asks: ISO 3166-1 alpha-2; null where nobody knows it. */
  readonly start: (
    personId: string,
    installationId: string,
    now: Date,
    country?: string | null,
  ) => Promise<StartAnswer>;
  /** Committed once it answers. */
  readonly report: (order: ReportOrder) => Promise<ReportAnswer>;
  /** Ends it, once, and meters it; null where the person has none of this id. */
  readonly stop: (personId: string, sessionId: SessionId, now: Date) => Promise<StoppedSession | null>;
  /** Newest first. */
  readonly list: (personId: string, filter: SessionFilter, order: PageOrder) => Promise<Page<TrafficSession>>;
  /** Null where the person has none of this id. */
  readonly one: (personId: string, sessionId: SessionId) => Promise<TrafficSession | null>;
}

/** Increments of one session that one gateway carried. */
export interface CarriedReport {
  readonly sessionId: SessionId;
  /** Set by the gateway: one number of one session once. */
  readonly seq: number;
  readonly measuredAt: Date;
  /** Since its report before. */
  readonly up: bigint;
  readonly down: bigint;
}

export interface CarriedAnswer {
  readonly accepted: number;
  readonly repeated: number;
  /** Of those repeated, how many said something else: the first stands. */
  readonly conflicts: number;
  /** Of no session of the project, or of one that has `CARRIED_REPORTS_MAX` already. */
  readonly unknown: number;
}

export interface Gateways {
  /** @param keyId the gateway's own key, by which it is known. */
  readonly report: (
    gateway: { readonly projectId: ProjectId; readonly keyId: string },
    reports: readonly CarriedReport[],
  ) => Promise<CarriedAnswer>;
}

/** Meters sessions: all their reports, in one transaction. Twice it writes the same. */
export type MeterSessions = (
  ids: readonly SessionId[],
) => Promise<ReadonlyMap<string, readonly MeteredDay[]>>;

/** The next sessions that wait for this job, in the order of their ids: `METER_SESSIONS_MAX` at most. */
export type WaitingSessions = (jobId: JobId, after: SessionId | null) => Promise<readonly SessionId[]>;

/** Beside the reconciler. */
export interface TrafficRounds {
  /** New jobs for sessions whose job was lost. Answers how many. */
  readonly rejob: () => Promise<number>;
  /** Ends sessions that are a day old. Answers how many. */
  readonly expire: () => Promise<number>;
  /** Makes the partitions of the weeks to come, and drops those that are old. */
  readonly partitions: () => Promise<void>;
}

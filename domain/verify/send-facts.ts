import type { ProjectSettings } from '../project/settings.ts';
import type { Locale } from '../shared/locale.ts';
import type { PaidAsker } from './asker.ts';
import type { Channel } from './channel.ts';
import type { RiskScores } from './fraud.ts';
import type { DaySpend, PaidCount } from './paid-limits.ts';
import type { StrangerFacts } from './strangers.ts';
import type { Verification } from './verification.ts';

/** Read under the destination's lock, so that two requests can't both be the fifth. */
export interface SendFacts {
  readonly settings: ProjectSettings;
  /** Sends to this destination for this project in the last hour. */
  readonly sentAt: readonly Date[];
  readonly locked: boolean;
  /** What strangers asked for before, where a stranger asks; their own limits then hold in place of the hourly one. */
  readonly stranger: StrangerFacts | null;
  /** Of a service, the one that lives for the recipient and purpose; of a stranger, the one that they show to be theirs. */
  readonly live: Verification | null;
  /** It was asked for by its own id, and not for the same recipient and purpose only. */
  readonly again: boolean;
  readonly reach: Reach;
  /** Spent today, and reserved by what was accepted. */
  readonly spend: DaySpend;
  readonly askedBy: PaidAsker;
  readonly projectId: string;
  /** Paid messages to the number, sent or on their way, of all projects. */
  readonly paid: readonly PaidCount[];
  readonly risk: RiskScores;
}

/** Which addresses are known, and which channels have a provider at all. */
export interface Reach {
  /** Its project's own token is known, or the person has Navbat's app and approved for the project before. */
  readonly push: boolean;
  /** Of those, who has Navbat's app alone. */
  readonly ownApp: boolean;
  readonly telegram: boolean;
  readonly providers: ReadonlySet<Channel>;
  /** What all SMS providers of the number's route ask for one message, in 10^-6 USD; null where none carries it. */
  readonly smsMicros: number | null;
  readonly locale: Locale | null;
}

export interface SendPlan {
  /** Null for a first send. */
  readonly resendOf: Verification | null;
  /** Ends as this one begins, which takes over how often was sent and checked. */
  readonly replaces: Verification | null;
  readonly channels: readonly Channel[];
  readonly locale: Locale;
  readonly codeGeneration: number;
  readonly checksMax: number;
  readonly expiresAt: Date;
  /** The most that its chain may take, in 10^-6 USD; 0 with a test key, whose codes are sent to nobody. */
  readonly reservedMicros: number;
}

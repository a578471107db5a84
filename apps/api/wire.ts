import type { Router } from 'express';
import type { Challenges, MoneyApprovals } from '../../domain/identity/approval/port.ts';
import type { EnrolmentPayers } from '../../domain/identity/device/port.ts';
import type { Destinations } from '../../domain/identity/person/destinations.ts';
import type { RecipientLanguages } from '../../domain/identity/recipient/port.ts';
import type { PhoneCodes } from '../../domain/identity/port.ts';
import type { ProofTokens } from '../../domain/shared/proof-tokens.ts';
import type { Route } from '../http/route.ts';
import type { CodeProblems } from './identity/code-problems.ts';

/** What a `wire.ts` makes of one context. */
export interface Wired {
  readonly routes: readonly Route[];
  /** What answers without a route's pipeline. */
  readonly routers?: readonly Router[];
  readonly offers?: Offers;
  /** Ends what would go on for as long as somebody listens. */
  readonly endStreams?: () => void;
  readonly close?: () => Promise<void>;
}

/** What contexts offer those that stand behind them in `modules.ts`. */
export interface Offers {
  readonly codes?: IdentityCodes;
  readonly earned?: Earned;
  readonly languages?: RecipientLanguages;
}

/** What a person has earned and the ledger does not hold yet: with the close of its day, and once a person has looked at it. In tiyin. */
export type Earned = (personId: string) => Promise<{ readonly pending: bigint; readonly review: bigint }>;

/** Codes and pushes by which identity has a phone or a person proven. Without them it serves what needs neither. */
export interface IdentityCodes {
  readonly phone: PhoneCodes;
  readonly checkTokens: ProofTokens;
  readonly problems: CodeProblems;
  /** What an enrolment's code costs is booked on its project. */
  readonly payers: EnrolmentPayers;
  readonly destinations: Destinations;
  readonly challenges: Challenges;
  readonly moneyApprovals: MoneyApprovals;
}

import type { Router } from 'express';
import type { Destinations } from '../../domain/identity/person/destinations.ts';
import type { PhoneCodes } from '../../domain/identity/port.ts';
import type { JobId } from '../../domain/job/job.ts';
import type { Deliveries } from '../../domain/verify/deliveries.ts';
import type { Route } from '../http/route.ts';
import type { AuthDeps } from './identity/auth.routes.ts';
import type { RegistrationDeps } from './identity/registration.routes.ts';

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
}

/** Codes and pushes by which identity has a phone or a person proven. Without them it serves what needs neither. */
export interface IdentityCodes extends Pick<RegistrationDeps, 'checkTokens'> {
  readonly phone: PhoneCodes;
  readonly asked: NonNullable<AuthDeps['otp']>;
  readonly destinations: Destinations;
  readonly approvals: {
    readonly numberOf: (of: { readonly kid: string; readonly jobId: JobId }) => string | null;
    readonly deliveries: Deliveries;
    readonly wake: (jobId: JobId) => void;
  };
}

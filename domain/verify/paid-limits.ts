import type { ProjectSettings } from '../project/settings.ts';
import type { PaidAsker } from './asker.ts';
import { type Channel, channelRules } from './channel.ts';

/**
 * Paid messages (SMS, Gateway) to one number in an hour over all projects, which protects the person. One project takes 13 of them at
 * most (8 and 5, below): its keys, whatever they do, leave two to every other project, and three of what strangers share.
 */
export const PAID_PER_HOUR_MAX = 15;
/**
 * For one project's own services, and the number's owner who asks from where its codes were right: a chain of Gateway and SMS may take two
 * for each of its five sends, and rarely does.
 */
export const PAID_BY_PROJECT_MAX = 8;
/** For strangers with a project's publishable keys, and as much for the owner: so far neither reaches into what services have. */
export const PAID_BY_STRANGERS_OF_PROJECT_MAX = 5;
/** For strangers in all projects: the larger part is the services'. */
export const PAID_BY_STRANGERS_MAX = 8;
/**
 * How many of these anybody gets, as with a project's own limit (`strangers.ts`): the last two are for addresses in good
 * standing, or strangers with the keys of three projects would fill them with three codes of each, which are open to anybody.
 */
const PAID_BY_STRANGERS_OPEN = 6;

/** Paid messages to one number in the last hour, of one project and one sort of asker. */
export interface PaidCount {
  readonly projectId: string;
  readonly askedBy: PaidAsker;
  readonly messages: number;
}

/**
 * One rule for the intake, which counts what is on its way, and for the worker, which counts what was opened. Only the intake
 * asks for the stranger's standing: what it accepted is sent.
 */
export function isNumberCapped(
  counts: readonly PaidCount[],
  { projectId, askedBy }: Omit<PaidCount, 'messages'>,
  isInGoodStanding = true,
): boolean {
  const sum = (of: (one: PaidCount) => boolean) =>
    counts.filter(of).reduce((total, { messages }) => total + messages, 0);
  if (sum(() => true) >= PAID_PER_HOUR_MAX) return true;
  const mine = sum((one) => one.projectId === projectId && one.askedBy === askedBy);
  const own = sum((one) => one.projectId === projectId && one.askedBy !== 'stranger');
  if (askedBy === 'service') return own >= PAID_BY_PROJECT_MAX;
  // What strangers used up keeps nobody out who calls from where the number's codes were right.
  if (askedBy === 'known') return mine >= PAID_BY_STRANGERS_OF_PROJECT_MAX || own >= PAID_BY_PROJECT_MAX;
  return (
    mine >= PAID_BY_STRANGERS_OF_PROJECT_MAX ||
    sum((one) => one.askedBy === 'stranger') >=
      (isInGoodStanding ? PAID_BY_STRANGERS_MAX : PAID_BY_STRANGERS_OPEN)
  );
}

/** A project's UTC day, in 10^-6 USD. At the intake with what accepted jobs may still need. */
export interface DaySpend {
  readonly spentMicros: number;
  /** Of it, for requests with a publishable key. */
  readonly strangerMicros: number;
}

export interface DayBudget {
  readonly budgetMicros: number;
  readonly strangerBudgetMicros: number;
}

export const dayBudgetOf = (settings: ProjectSettings): DayBudget => ({
  budgetMicros: settings.sms_daily_budget_micros,
  strangerBudgetMicros: Math.floor(
    (settings.sms_daily_budget_micros * settings.publishable_budget_percent) / 100,
  ),
});

/**
 * The most that a chain of these channels may take, in 10^-6 USD: each is tried. It is reserved as the send is accepted and turns
 * into spend as an attempt opens, so that a send that was accepted still finds its money.
 */
export const chainMicros = (channels: readonly Channel[], smsMicros: number | null): number =>
  channels.reduce((sum, channel) => sum + channelMicros(channel, smsMicros), 0);

/** @param smsMicros what all providers of the number's route ask for an SMS; null where none carries it. */
export const channelMicros = (channel: Channel, smsMicros: number | null): number =>
  channel === 'sms' ? (smsMicros ?? 0) : channelRules[channel].reservedMicros;

export const withSpend = (spend: DaySpend, micros: number, askedBy: PaidAsker): DaySpend => ({
  spentMicros: spend.spentMicros + micros,
  strangerMicros: spend.strangerMicros + (askedBy === 'service' ? 0 : micros),
});

/** One rule for the intake and for the worker: what the message sets aside must still fit. */
export const isBudgetSpent = (
  { spentMicros, strangerMicros }: DaySpend,
  { budgetMicros, strangerBudgetMicros }: DayBudget,
  askedBy: PaidAsker,
  reservedMicros: number,
): boolean =>
  spentMicros + reservedMicros > budgetMicros ||
  (askedBy !== 'service' && strangerMicros + reservedMicros > strangerBudgetMicros);

/** An alert: SMS pumping shows here first. */
export const isHalfSpent = ({ spentMicros }: DaySpend, { budgetMicros }: DayBudget): boolean =>
  budgetMicros > 0 && spentMicros * 2 >= budgetMicros;

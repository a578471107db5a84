import { formatIncompletePhoneNumber } from 'libphonenumber-js/max';
import type { ReasonFacts } from '../shared/reason.ts';
import { nextUtcDay } from '../shared/time.ts';
import type { PaidAsker } from './asker.ts';
import { type DayBudget, dayBudgetOf, type DaySpend } from './paid-limits.ts';
import type { RefusalReason } from './reasons.ts';
import { blockOf } from './fraud.ts';
import { isTrusted, type SendCommand } from './send-command.ts';
import type { SendFacts } from './send-facts.ts';

/** `+998 90 111`, as people write the beginning of a number. */
const prefixText = (prefix: string): string => formatIncompletePhoneNumber(prefix);

/** What a refused send is told beside its reason: until when, by which limit, for which numbers. */
export function refusalFacts(
  { reason, retryAfterSeconds }: { reason: RefusalReason; retryAfterSeconds: number | null },
  { phone, client }: Pick<SendCommand, 'phone' | 'client'>,
  { settings, risk, spend, askedBy }: Pick<SendFacts, 'settings' | 'risk' | 'spend' | 'askedBy'>,
  now: Date,
): ReasonFacts {
  const until =
    retryAfterSeconds === null ? {} : { until: new Date(now.getTime() + retryAfterSeconds * 1_000) };
  switch (reason) {
    case 'too-many-sends':
      return { ...until, limit: settings.sends_per_hour };
    case 'budget-spent':
      // Not how much it is: with a publishable key anybody may ask.
      return { until: nextUtcDay(now), setting: budgetSetting(spend, dayBudgetOf(settings), askedBy) };
    case 'country-not-allowed':
      return { country: phone?.country };
    case 'prefix-blocked':
    case 'risk-blocked': {
      const block = blockOf(risk, isTrusted(client), now);
      return {
        until: block?.until,
        ...(reason === 'prefix-blocked' ? { prefix: phone && prefixText(phone.prefix) } : {}),
        // A stranger would learn how many others ask, and verify.
        ...(block && askedBy === 'service' ? { factors: block.factors } : {}),
      };
    }
    case 'code-too-short':
    case 'publishable-limit':
    case 'codes-unconfirmed':
    case 'destination-locked':
    case 'no-channel':
    case 'number-capped':
    case 'other-payment':
    case 'too-soon':
    case 'totp-for-money':
    case 'unknown-recipient':
      return until;
  }
}

/** Of a project's budget and the share of it that publishable keys may use up: which one has less left. */
const budgetSetting = (spend: DaySpend, budget: DayBudget, askedBy: PaidAsker) =>
  askedBy !== 'service' &&
  budget.strangerBudgetMicros - spend.strangerMicros < budget.budgetMicros - spend.spentMicros
    ? 'publishable_budget_percent'
    : 'sms_daily_budget_micros';

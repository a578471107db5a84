import { type Assessment, PAID, type Verdict } from '../traffic/counterpart.ts';
import { type AddressClass, type AddressEvidence, classOf } from './class.ts';

/** Networks change hands: a month after it was made, data neither pays nor refuses. */
export const DATA_DAYS_MAX = 30;
const DAY_MS = 86_400_000;

/** Which class is paid, looked at by a person, or not paid: settings of the project. */
export type AddressRules = Readonly<Record<AddressClass, Verdict>>;

/** What becomes of traffic from an address, and by what. */
export interface AddressAssessment extends Assessment {
  readonly class: AddressClass;
  readonly evidence: AddressEvidence;
}

/** Where there is no data at all an address is of an unknown class, and the project says what becomes of those. */
export function assessAddress(evidence: AddressEvidence, rules: AddressRules, now: Date): AddressAssessment {
  const known = classOf(evidence);
  const isRead = Object.values(rules).some((verdict) => verdict !== 'pay');
  return { ...verdictOn(known, isRead && isOld(evidence.dataAt, now), rules), class: known, evidence };
}

function verdictOn(known: AddressClass, isOldData: boolean, rules: AddressRules): Assessment {
  if (isOldData) return { verdict: 'review', reason: 'address-data-old' };
  const verdict = rules[known];
  return verdict === 'pay' ? PAID : { verdict, reason: `address-${known}` };
}

export const isOld = (dataAt: Date | null, now: Date): boolean =>
  dataAt !== null && now.getTime() - dataAt.getTime() > DATA_DAYS_MAX * DAY_MS;

import type { Payment } from '../shared/payment.ts';
import type { ProjectSettings } from '../project/settings.ts';
import { smsSegments } from '../shared/sms-segments.ts';
import type { Locale } from '../shared/locale.ts';
import { codeText } from './text.ts';

export interface SmsAhead {
  readonly project: string;
  /** Digits of the code. */
  readonly length: number;
  readonly payment: Payment | null;
  readonly ttlSeconds: number;
  readonly locale: Locale;
}

/** As how many SMS a code will be billed, before there is one. The texts of Navbat's own purposes are as long as the standard one. */
export function smsPartsAhead({ length, ...words }: SmsAhead, settings: ProjectSettings): number {
  const code = '8'.repeat(length);
  return smsSegments(codeText({ ...words, code, purposeTexts: null }, settings, 'sms').text);
}

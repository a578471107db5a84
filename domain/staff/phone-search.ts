import { parsePhone, type PhoneFacts } from '../shared/phone.ts';

/** What people write in a number. */
const PHONE_TEXT = /^\+?[\d\s()./–-]{7,32}$/;
/** Numbers of so many digits are Uzbek ones without their country, as people here write them. */
const NATIONAL_DIGITS = 9;
const NATIONAL_CODE = '998';

/** A number as staff paste it: `+998 90 123-45-67`, `998901234567`, `00998…`, or `90 123 45 67`; null where it is none. */
export function findPhone(text: string): PhoneFacts | null {
  const trimmed = text.trim();
  if (!PHONE_TEXT.test(trimmed)) return null;
  const digits = trimmed.replaceAll(/\D/g, '');
  const candidates = trimmed.startsWith('+')
    ? [digits]
    : [
        ...(digits.length === NATIONAL_DIGITS ? [NATIONAL_CODE + digits] : []),
        ...(digits.startsWith('00') ? [digits.slice(2)] : []),
        digits,
      ];
  for (const candidate of candidates) {
    const phone = parsePhone(`+${candidate}`);
    if (phone) return phone;
  }
  return null;
}

/** 3GPP TS 23.038: the basic alphabet, then what costs two septets. */
const basicAlphabet = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const extension = new Set('\f^{}\\[~]|€');

/** 140 bytes are one message; each of several gives 6 bytes to say that it is one of several (TS 23.040). */
const sizes = {
  septets: { alone: 160, joined: 153 },
  utf16: { alone: 70, joined: 67 },
} as const;

/** As what a text is billed. */
export interface SmsSize {
  /** GSM's own, or UCS-2 where one letter is not in that. */
  readonly alphabet: 'gsm' | 'ucs-2';
  /** Places of that alphabet: a `€` takes two of GSM, an emoji two of UCS-2. */
  readonly length: number;
  readonly segments: number;
  /** Letters that GSM does not have, each once: without them more would fit. */
  readonly ucs2Letters: readonly string[];
}

/**
 * One letter outside the GSM alphabet makes every letter cost two bytes. What takes two places (an emoji, a `€`) is never split over two
 * messages, so that a message may end with a place left empty.
 */
export function smsSize(text: string): SmsSize {
  const letters = Array.from(text);
  const ucs2Letters = [...new Set(letters)].filter((one) => !basicAlphabet.has(one) && !extension.has(one));
  const isGsm = ucs2Letters.length === 0;
  const places = letters.map((letter) => (isGsm ? (extension.has(letter) ? 2 : 1) : letter.length));
  const { alone, joined } = isGsm ? sizes.septets : sizes.utf16;
  const length = places.reduce((sum, each) => sum + each, 0);
  const segments = length <= alone ? 1 : packed(places, joined);
  return { alphabet: isGsm ? 'gsm' : 'ucs-2', length, segments, ucs2Letters };
}

export const smsSegments = (text: string): number => smsSize(text).segments;

function packed(places: readonly number[], size: number): number {
  let segments = 1;
  let used = 0;
  for (const each of places) {
    if (used + each > size) {
      segments++;
      used = 0;
    }
    used += each;
  }
  return segments;
}

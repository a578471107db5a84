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

/**
 * As how many SMS a text is billed. One letter outside the GSM alphabet makes every letter cost two bytes. What takes two places (an
 * emoji, a `€`) is never split over two messages, so that a message may end with a place left empty.
 */
export function smsSegments(text: string): number {
  const letters = Array.from(text);
  const isGsm = letters.every((letter) => basicAlphabet.has(letter) || extension.has(letter));
  const places = letters.map((letter) => (isGsm ? (extension.has(letter) ? 2 : 1) : letter.length));
  const { alone, joined } = isGsm ? sizes.septets : sizes.utf16;
  const total = places.reduce((sum, each) => sum + each, 0);
  return total <= alone ? 1 : packed(places, joined);
}

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

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

/** As how many SMS a text is billed. One letter outside the GSM alphabet makes every letter cost two bytes. */
export function smsSegments(text: string): number {
  const letters = Array.from(text);
  const isGsm = letters.every((letter) => basicAlphabet.has(letter) || extension.has(letter));
  const units = isGsm
    ? letters.length + letters.filter((letter) => extension.has(letter)).length
    : text.length;
  const { alone, joined } = isGsm ? sizes.septets : sizes.utf16;
  return units <= alone ? 1 : Math.ceil(units / joined);
}

/** GSM 03.38's basic alphabet; a text of these alone takes 7 bits a character. */
const GSM_BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** These take two places. */
const GSM_EXTENDED = new Set('^{}\\[~]|€\f');

/** A message of one part holds 160 or 70 characters; in several parts the header leaves 153 or 67 of each. */
const GSM_SINGLE = 160;
const GSM_PART = 153;
const UCS2_SINGLE = 70;
const UCS2_PART = 67;

/** How many SMS a text is billed as (3GPP TS 23.038, 23.040). */
export function segmentsOf(text: string): number {
  let septets = 0;
  for (const character of text) {
    if (GSM_BASIC.has(character)) septets += 1;
    else if (GSM_EXTENDED.has(character)) septets += 2;
    else return partsOf(text.length, UCS2_SINGLE, UCS2_PART);
  }
  return partsOf(septets, GSM_SINGLE, GSM_PART);
}

function partsOf(length: number, single: number, part: number): number {
  return length <= single ? 1 : Math.ceil(length / part);
}

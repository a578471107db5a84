/**
 * The twin of `holds_card_number` in Postgres, for what is shown or explained before anything is stored. A test holds one against the
 * other.
 */

/** What holds fewer digits holds no card number. */
const ENOUGH_DIGITS = /[0-9](?:[^0-9A-Za-z]*[0-9]){14}/;
/** Uzcard, Humo, Visa, Mastercard, American Express, UnionPay, Mir. */
const ISSUED =
  /^(?:(?:8600|9860|5614)\d{12}|4\d{15}|4\d{18}|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|3[47]\d{13}|62\d{14,17}|220[0-4]\d{12,15})$/;
/** As we make them: a card number laid over a UUID has another version and variant. */
const OUR_UUID = /(?<![\da-f])[\da-f]{8}-[\da-f]{4}-[47][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}(?![\da-f])/gi;
const NO_UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[0-7c-f][\da-f]{3}-[\da-f]{12}/gi;
/** Of all issuers above. */
const DIGITS_MIN = 15;
const DIGITS_MAX = 19;

/** True where one or more whole groups of digits, one behind the other, are the number of a card. */
export function holdsCardNumber(said: string): boolean {
  if (!ENOUGH_DIGITS.test(said)) return false;
  const rest = said.replaceAll(OUR_UUID, 'x');
  const chains = rest.match(/[0-9]+(?:[^0-9A-Za-z]{1,3}[0-9]+)*/g) ?? [];
  return (
    chains.some((chain) => groupsHoldCard(chain.split(/[^0-9]+/))) || (rest.match(NO_UUID) ?? []).some(hides)
  );
}

/** The same of what people write: digits of any width are read as digits. */
export const readsAsCardNumber = (said: string): boolean => holdsCardNumber(said.normalize('NFKC'));

function groupsHoldCard(groups: readonly string[]): boolean {
  return groups.some((_, from) => {
    let digits = '';
    // Each has a digit: more groups than digits are no number. A cell of 100 000 groups else took 20 s.
    for (const group of groups.slice(from, from + DIGITS_MAX)) {
      digits += group;
      if (digits.length > DIGITS_MAX) return false;
      if (isCardNumber(digits)) return true;
    }
    return false;
  });
}

/** Its groups are no groups of a number. */
function hides(uuid: string): boolean {
  const signs = uuid.replaceAll('-', '');
  for (let from = 0; from + DIGITS_MIN <= signs.length; from += 1)
    for (let size = DIGITS_MIN; size <= DIGITS_MAX; size += 1)
      if (isCardNumber(signs.slice(from, from + size))) return true;
  return false;
}

/** An issuer's number with a right check digit (Luhn). */
function isCardNumber(digits: string): boolean {
  if (!ISSUED.test(digits)) return false;
  let total = 0;
  for (const [place, sign] of Array.from(digits).toReversed().entries()) {
    const figure = Number(sign) * (place % 2 === 1 ? 2 : 1);
    total += figure > 9 ? figure - 9 : figure;
  }
  return total % 10 === 0;
}

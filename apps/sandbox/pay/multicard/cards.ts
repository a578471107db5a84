import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { LineOf } from './lines.ts';

/** A card as this rail keeps it: never its number. */
export interface Card {
  readonly token: string;
  /** Masked: `860012******1234`. */
  readonly pan: string;
  readonly system: 'uzcard' | 'humo';
  /** Of the holder, digits only. */
  readonly phone: string;
  readonly pinfl: string;
  readonly holderName: string;
}

/** Tokens of this form are cards that always were: a bench has as many as it likes without binding them. */
const SIMULATED = /^sim[0-9a-z]{1,29}$/;
const FIRST_NAMES = ['ALISHER', 'DILNOZA', 'BOTIR', 'GULNORA', 'JASUR', 'MALIKA', 'OTABEK', 'SEVARA'];
const LAST_NAMES = ['KARIMOV', 'RAHIMOVA', 'TOSHMATOV', 'YUSUPOVA', 'ERGASHEV', 'NAZAROVA', 'SOBIROV'];

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const digitsOf = (text: string, count: number): string =>
  [...digest(text)]
    .map((byte) => byte % 10)
    .join('')
    .slice(0, count);

export function simulatedCard(token: string): Card | undefined {
  if (!SIMULATED.test(token)) return undefined;
  const digits = digitsOf(token, 18);
  return {
    token,
    pan: `860006******${digits.slice(0, 4)}`,
    system: 'uzcard',
    phone: `99890${digits.slice(4, 11)}`,
    pinfl: digitsOf(`pinfl ${token}`, 14),
    holderName: nameOf(token),
  };
}

/** A name that is always the same for the same text. */
export function nameOf(text: string): string {
  const [first = 0, last = 0] = digest(text);
  return `${FIRST_NAMES[first % FIRST_NAMES.length]} ${LAST_NAMES[last % LAST_NAMES.length]}`;
}

export const pinflOf = (phone: string): string => digitsOf(`pinfl ${phone}`, 14);

export interface TypedCard {
  /** Absent: one that nobody typed. */
  readonly pan?: string | undefined;
  readonly phone: string;
  readonly pinfl: string;
  readonly holderName: string;
}

/** What is kept of a card that somebody typed. */
export function boundCard(session: string, { pan, ...holder }: TypedCard, addedAt: number): LineOf<'card'> {
  const number = pan ?? `8600${String(randomInt(10 ** 12)).padStart(12, '0')}`;
  return {
    t: 'card',
    session,
    token: randomBytes(12).toString('hex'),
    pan: `${number.slice(0, 6)}******${number.slice(-4)}`,
    system: number.startsWith('9860') ? 'humo' : 'uzcard',
    ...holder,
    addedAt,
  };
}

/** How an order of faults may name it. */
export const namesOf = (card: Card): readonly string[] => [card.token, card.pan.slice(-4), card.phone];

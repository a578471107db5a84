/** What `Кодировка` of a file says: windows-1251, or cp866. */
export const bankEncodings = ['Windows', 'DOS'] as const;
export type BankEncoding = (typeof bankEncodings)[number];

const CYRILLIC = 'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя';

/** The signs above ASCII that people write names and purposes with, of those that each encoding has. */
export const encodable: Readonly<Record<BankEncoding, string>> = {
  Windows: `${CYRILLIC}ЁёЂЃѓЉЊЌЋЏђљњќћџЎўЈҐґЄєЇїІіЅѕј‚„…†‡€‰‹›‘’“”•–—™¤¦§©«»¬®°±µ¶·№`,
  DOS: `${CYRILLIC}ЁёЄєЇїЎў°·№`,
};

/**
 * What stands for a letter that a bank's encoding does not have: the nearest that it has, as accountants here write it by hand. A letter with a
 * mark that is not listed loses its mark (ş becomes s); a sign that is neither becomes UNWRITABLE.
 */
export const transliteration: Readonly<Record<string, string>> = {
  // Uzbek by Cyrillic, and Karakalpak.
  Қ: 'К',
  қ: 'к',
  Ғ: 'Г',
  ғ: 'г',
  Ҳ: 'Х',
  ҳ: 'х',
  Ә: 'А',
  ә: 'а',
  Ө: 'О',
  ө: 'о',
  Ү: 'У',
  ү: 'у',
  Ұ: 'У',
  ұ: 'у',
  Ң: 'Н',
  ң: 'н',
  Һ: 'Х',
  һ: 'х',
  // Uzbek by Latin: all that is typed for the apostrophe of oʻ and gʻ.
  ʻ: "'",
  ʼ: "'",
  ʹ: "'",
  '‘': "'",
  '’': "'",
  '`': "'",
  '´': "'",
  '′': "'",
  // Cyrillic that cp866 does not have.
  І: 'I',
  і: 'i',
  Ґ: 'Г',
  ґ: 'г',
  Ј: 'J',
  ј: 'j',
  Ѕ: 'S',
  ѕ: 's',
  Љ: 'Ль',
  љ: 'ль',
  Њ: 'Нь',
  њ: 'нь',
  Ћ: 'Ч',
  ћ: 'ч',
  Ђ: 'Дж',
  ђ: 'дж',
  Џ: 'Дж',
  џ: 'дж',
  // Latin that is no letter with a mark.
  ı: 'i',
  ß: 'ss',
  Æ: 'AE',
  æ: 'ae',
  Œ: 'OE',
  œ: 'oe',
  Ø: 'O',
  ø: 'o',
  Ł: 'L',
  ł: 'l',
  Đ: 'D',
  đ: 'd',
  Þ: 'Th',
  þ: 'th',
  Ð: 'D',
  ð: 'd',
  Ə: 'A',
  ə: 'a',
  // Signs.
  '«': '"',
  '»': '"',
  '“': '"',
  '”': '"',
  '„': '"',
  '–': '-',
  '—': '-',
  '−': '-',
  '‐': '-',
  '‑': '-',
  '…': '...',
  '‚': ',',
  '‹': '<',
  '›': '>',
  '€': 'EUR',
  '™': '(TM)',
  '©': '(c)',
  '®': '(R)',
};

/** For what no table has a letter for. Never `?`, which encoders write where they lose something. */
const UNWRITABLE = '_';

const MARKS = /\p{M}+/gu;
const PRINTABLE_ASCII = /^[ -~]$/;

/**
 * The text in signs that the encoding has, on one line: what begins a line in the file would be read as a field of it.
 *
 * @param charsMax longer texts are cut.
 */
export function bankText(text: string, encoding: BankEncoding, charsMax: number): string {
  const own = new Set(encodable[encoding]);
  const written = Array.from(text.normalize('NFC'), (sign) => signOf(sign, own)).join('');
  return written.replaceAll(/ +/g, ' ').trim().slice(0, charsMax).trimEnd();
}

function signOf(sign: string, own: ReadonlySet<string>): string {
  if (PRINTABLE_ASCII.test(sign) && sign !== '`') return sign;
  if (own.has(sign)) return sign;
  if (/^[\s\p{Z}]$/u.test(sign)) return ' ';
  // Nothing to see, such as a soft hyphen or a control character.
  if (/^[\p{C}\p{M}]$/u.test(sign) && !/^\p{Co}$/u.test(sign)) return '';
  const listed = transliteration[sign];
  if (listed !== undefined) return listed;
  const bare = sign.normalize('NFKD').replaceAll(MARKS, '');
  if (bare === sign) return UNWRITABLE;
  return Array.from(bare, (part) => signOf(part, own)).join('');
}

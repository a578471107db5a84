import { type Cell, textOf } from './cell.ts';

/** What a list says of each payee. */
export type ListField = 'phone' | 'name' | 'amount' | 'purpose' | 'account' | 'mfo';

/** Headings as people write them, folded: Uzbek in both writings, Russian, English. */
const synonyms: Readonly<Record<ListField, readonly string[]>> = {
  phone: [
    'telefon',
    'telefon raqami',
    'telefon raqam',
    'tel',
    'tel raqami',
    'mobil raqam',
    'mobil telefon',
    'raqam',
    'телефон',
    'телефон рақами',
    'телефон раками',
    'рақам',
    'тел',
    'номер телефона',
    'мобильный',
    'мобильный телефон',
    'сотовый',
    'phone',
    'phone number',
    'mobile',
    'mobile phone',
    'msisdn',
  ],
  name: [
    'ism',
    'ismi',
    'fio',
    'fish',
    'ism familiya',
    'familiya ism',
    'ism sharif',
    'ism sharifi',
    'toliq ism',
    'toliq ismi',
    'oluvchi',
    'xodim',
    'исм',
    'исм фамилия',
    'исм шариф',
    'тўлиқ исм',
    'олувчи',
    'фиш',
    'имя',
    'фио',
    'имя фамилия',
    'фамилия имя',
    'фамилия имя отчество',
    'получатель',
    'сотрудник',
    'name',
    'full name',
    'payee',
    'recipient',
    'employee',
  ],
  amount: [
    'summa',
    'summasi',
    'miqdor',
    'miqdori',
    'tolov summasi',
    'pul miqdori',
    'сумма',
    'суммаси',
    'миқдор',
    'миқдори',
    'тўлов суммаси',
    'сумма выплаты',
    'сумма к выплате',
    'сумма платежа',
    'amount',
    'sum',
    'total',
    'payout',
    'payment amount',
  ],
  purpose: [
    'maqsad',
    'maqsadi',
    'tolov maqsadi',
    'izoh',
    'sabab',
    'nima uchun',
    'мақсад',
    'мақсади',
    'тўлов мақсади',
    'изоҳ',
    'назначение',
    'назначение платежа',
    'комментарий',
    'основание',
    'за что',
    'purpose',
    'payment purpose',
    'comment',
    'description',
    'details',
    'what for',
  ],
  account: [
    'hisob raqam',
    'hisob raqami',
    'hisobraqam',
    'hr',
    'xr',
    'hisob',
    'ҳисоб рақам',
    'ҳисоб рақами',
    'хр',
    'счет',
    'номер счета',
    'расчетный счет',
    'рс',
    'лицевой счет',
    'account',
    'account number',
    'bank account',
  ],
  mfo: ['mfo', 'bank kodi', 'bank mfo', 'мфо', 'банк коди', 'код банка', 'мфо банка', 'bank code'],
};

/** A unit behind the heading says nothing new: amounts are in UZS. */
const UNIT = / (?:uzs|som|sum|сум|сўм|сумах|soms)$/;

const fieldOf = new Map(
  Object.entries(synonyms).flatMap(([field, words]) =>
    words.map((word) => [word, field as ListField] as const),
  ),
);

/** A heading without case, apostrophes, signs and unit. */
function folded(heading: string): string {
  const plain = heading
    .toLowerCase()
    .replaceAll('ё', 'е')
    .replaceAll(/[\u02BB\u02BC\u2018\u2019'`´]/gu, '')
    .replaceAll(/(?<=\p{L})[./](?=\p{L})/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  return fieldOf.has(plain) ? plain : plain.replace(UNIT, '');
}

export interface Column {
  readonly index: number;
  /** As the file says it. */
  readonly heading: string;
}

export interface Header {
  readonly columns: ReadonlyMap<ListField, Column>;
  /** Columns that mean the same as an earlier one. */
  readonly twice: readonly (Column & { readonly field: ListField })[];
}

export function readHeader(cells: readonly Cell[]): Header {
  const columns = new Map<ListField, Column>();
  const twice: (Column & { readonly field: ListField })[] = [];
  for (const [index, cell] of cells.entries()) {
    const read = textOf(cell);
    const field = read.ok ? fieldOf.get(folded(read.text)) : undefined;
    if (!read.ok || field === undefined) continue;
    const column = { index, heading: read.text };
    if (columns.has(field)) twice.push({ ...column, field });
    else columns.set(field, column);
  }
  return { columns, twice };
}

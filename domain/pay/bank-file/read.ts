import {
  type BankDocument,
  type BankFile,
  type BankParty,
  type BankTotals,
  bankAmount,
  DOCUMENTS_MAX,
} from './file.ts';
import { bankEncodings } from './letters.ts';

/** What is wrong with a file, closed: each has its sentence where it is found. */
export type BankFault =
  | 'not-a-bank-file'
  | 'wrong-encoding'
  | 'truncated'
  | 'text-after-end'
  | 'section-open'
  | 'line-unreadable'
  | 'field-missing'
  | 'field-twice'
  | 'field-wrong'
  | 'number-twice'
  | 'totals-differ'
  | 'too-many-documents';

export interface BankFileFault {
  /** From 1. */
  readonly line: number;
  readonly fault: BankFault;
  /** What is wrong, and what was expected. */
  readonly says: string;
}

export type BankFileReading =
  | { readonly ok: true; readonly file: BankFile }
  | { readonly ok: false; readonly faults: readonly BankFileFault[] };

/** A file that is damaged throughout is not told line by line. */
const FAULTS_MAX = 50;

interface Field {
  readonly line: number;
  readonly value: string;
}
interface Section {
  readonly line: number;
  readonly fields: Map<string, Field>;
}
interface Open {
  readonly name: string;
  readonly section: Section;
}
interface Found {
  readonly header: Section;
  readonly accounts: Section[];
  readonly documents: Section[];
}

/** Whole or not at all: of a file with a fault nothing is used. */
export function readBankFile(text: string): BankFileReading {
  const reader = new Reader();
  const file = reader.read(text);
  if (file && reader.faults.length === 0) return { ok: true, file };
  return { ok: false, faults: reader.faults };
}

const HEADER = '1CClientBankExchange';
const BEGINS: Readonly<Record<string, string>> = {
  СекцияРасчСчет: 'КонецРасчСчет',
  СекцияДокумент: 'КонецДокумента',
};
const ENDS = new Set(Object.values(BEGINS));

const AMOUNT = /^(-?)(\d{1,13})(?:\.(\d{1,2}))?$/;
const DAY = /^(\d{2})\.(\d{2})\.(\d{4})$/;
/** 20 digits in Uzbekistan. */
const ACCOUNT = /^\d{5,34}$/;
const NUMBER = /^[\p{L}\d][\p{L}\d/-]{0,19}$/u;

class Reader {
  readonly faults: BankFileFault[] = [];

  read(text: string): BankFile | null {
    const lines = text.split(/\r\n|\n|\r/);
    if (lines[0]?.trim() !== HEADER) {
      this.#fault(1, 'not-a-bank-file', `The file begins otherwise. Expected ${HEADER} on the first line.`);
      return null;
    }
    const { header, accounts, documents } = this.#sections(lines);
    if (this.faults.length > 0) return null;
    const file = this.#fileOf(header, accounts, documents);
    if (file && this.faults.length === 0) this.#compare(file, accounts, documents);
    return file;
  }

  /** The lines by section. What stands outside of any is the header's. */
  #sections(lines: readonly string[]) {
    const found: Found = { header: { line: 1, fields: new Map() }, accounts: [], documents: [] };
    let open: Open | null = null;
    let endsAt = 0;
    for (const [index, raw] of lines.entries()) {
      const [line, text] = [index + 1, raw.trim()];
      if (index === 0 || text === '') continue;
      if (endsAt > 0) {
        this.#fault(line, 'text-after-end', 'Expected nothing after КонецФайла: two files in one?');
        break;
      }
      if (text === 'КонецФайла') endsAt = line;
      else open = this.#line(line, text, open, found);
    }
    if (open) this.#left(endsAt || lines.length, open);
    if (endsAt === 0)
      this.#fault(
        lines.length,
        'truncated',
        'The file ends without КонецФайла: a part is missing. Get it anew.',
      );
    if (found.documents.length > DOCUMENTS_MAX)
      this.#fault(1, 'too-many-documents', `Expected at most ${DOCUMENTS_MAX} documents.`);
    return found;
  }

  /** @returns the section that is open after it. */
  #line(line: number, text: string, open: Open | null, found: Found): Open | null {
    const [name, value] = cut(text);
    if (name in BEGINS) {
      if (open) this.#left(line, open);
      const section: Section = { line, fields: new Map() };
      (name === 'СекцияДокумент' ? found.documents : found.accounts).push(section);
      return { name, section };
    }
    if (ENDS.has(text)) {
      if (open && BEGINS[open.name] !== text) this.#left(line, open);
      if (!open) this.#fault(line, 'line-unreadable', `${text} ends a section that did not begin.`);
      return null;
    }
    if (value === null)
      this.#fault(line, 'line-unreadable', 'Expected a field and its value, such as Сумма=1234.56.');
    else this.#field(open?.section ?? found.header, name, { line, value });
    return open;
  }

  /** Of a header or a document. `РасчСчет` and `Документ` may come several times: an account or a kind each. */
  #field({ fields }: Section, name: string, field: Field): void {
    const before = fields.get(name);
    if (before && name !== 'РасчСчет' && name !== 'Документ') {
      this.#fault(field.line, 'field-twice', `${name} is on line ${before.line} already.`);
    }
    if (!before) fields.set(name, field);
  }

  #left(line: number, { name, section }: Open): void {
    this.#fault(
      line,
      'section-open',
      `Expected ${BEGINS[name]} of the section that begins on line ${section.line}.`,
    );
  }

  #fileOf(header: Section, accounts: readonly Section[], documents: readonly Section[]): BankFile | null {
    const encoding = this.#need(header, 'Кодировка');
    const known = bankEncodings.find((name) => name === encoding?.value);
    if (encoding && !known)
      this.#fault(encoding.line, 'field-wrong', `Кодировка=${encoding.value}: expected Windows or DOS.`);
    if (accounts.length > 1)
      this.#fault(
        accounts[1]?.line ?? 1,
        'field-twice',
        'Expected one СекцияРасчСчет: one account and period a file.',
      );
    const [own] = accounts;
    const account = this.#account(own ?? header, 'РасчСчет');
    const from = this.#day(own ?? header, 'ДатаНачала');
    const to = this.#day(own ?? header, 'ДатаКонца');
    const totals = own ? this.#totals(own) : null;
    const read = documents.map((section) => this.#document(section));
    if (!known || account === null || from === null || to === null) return null;
    return {
      encoding: known,
      sender: header.fields.get('Отправитель')?.value ?? '',
      account,
      from,
      to,
      totals,
      documents: read.filter((document) => document !== null),
    };
  }

  #totals(section: Section): BankTotals | null {
    const opening = this.#amount(section, 'НачальныйОстаток', 'any');
    const received = this.#amount(section, 'ВсегоПоступило', 'none');
    const spent = this.#amount(section, 'ВсегоСписано', 'none');
    const closing = this.#amount(section, 'КонечныйОстаток', 'any');
    if (opening === null || received === null || spent === null || closing === null) return null;
    return { opening, received, spent, closing };
  }

  #document(section: Section): BankDocument | null {
    const number = this.#matching(section, 'Номер', NUMBER, 'a number such as 42');
    const day = this.#day(section, 'Дата');
    const amount = this.#amount(section, 'Сумма', 'some');
    const payer = this.#party(section, 'Плательщик');
    const payee = this.#party(section, 'Получатель');
    const purpose = section.fields.get('НазначениеПлатежа')?.value ?? '';
    const booked = ['ДатаСписано', 'ДатаПоступило'].find((name) => section.fields.get(name)?.value);
    const bookedOn = booked === undefined ? null : this.#day(section, booked);
    if (number === null || day === null || amount === null || !payer || !payee) return null;
    return { number, day, amount, payer, payee, purpose, bookedOn };
  }

  #party(section: Section, who: string): BankParty | null {
    const account = this.#account(section, `${who}Счет`);
    const valueOf = (name: string) => section.fields.get(name)?.value || null;
    const name = valueOf(who) ?? valueOf(`${who}1`) ?? '';
    return account === null
      ? null
      : { account, name, taxId: valueOf(`${who}ИНН`), bankCode: valueOf(`${who}БИК`) };
  }

  /** The first of what the file says twice: its totals and its documents. */
  #compare(file: BankFile, accounts: readonly Section[], documents: readonly Section[]): void {
    this.#foreign(file, documents);
    if (!file.totals) {
      this.#numbers(file, documents);
      return;
    }
    const { opening, received, spent, closing } = file.totals;
    const sum = (of: (document: BankDocument) => boolean) =>
      file.documents.filter(of).reduce((total, { amount }) => total + amount, 0n);
    this.#total(
      accounts,
      'ВсегоСписано',
      spent,
      sum(({ payer }) => payer.account === file.account),
    );
    this.#total(
      accounts,
      'ВсегоПоступило',
      received,
      sum(({ payee }) => payee.account === file.account),
    );
    this.#total(accounts, 'КонечныйОстаток', closing, opening + received - spent);
  }

  #total(accounts: readonly Section[], name: string, said: bigint, counted: bigint): void {
    if (said === counted) return;
    const says = (tiyin: bigint) => (tiyin < 0n ? `-${bankAmount(-tiyin)}` : bankAmount(tiyin));
    this.#fault(
      accounts[0]?.fields.get(name)?.line ?? 1,
      'totals-differ',
      `${name}=${says(said)}, and what the file holds makes ${says(counted)}: a document is missing or changed.`,
    );
  }

  #foreign({ account, documents }: BankFile, sections: readonly Section[]): void {
    for (const [index, { payer, payee }] of documents.entries()) {
      if ((payer.account === account) === (payee.account === account))
        this.#fault(
          sections[index]?.line ?? 1,
          'field-wrong',
          `Expected the account ${account} as payer or as payee, and not as both.`,
        );
    }
  }

  /** In a file of orders. In a statement a bank's own documents are numbered beside ours. */
  #numbers({ documents }: BankFile, sections: readonly Section[]): void {
    const first = new Map<string, number>();
    for (const [index, { number }] of documents.entries()) {
      const line = sections[index]?.fields.get('Номер')?.line ?? 1;
      const before = first.get(number);
      if (before === undefined) first.set(number, line);
      else this.#fault(line, 'number-twice', `Номер=${number} is on line ${before} already.`);
    }
  }

  #need(section: Section, name: string): Field | null {
    const field = section.fields.get(name);
    if (field && field.value !== '') return field;
    this.#fault(
      field?.line ?? section.line,
      'field-missing',
      `Expected ${name}=… in the section that begins on line ${section.line}.`,
    );
    return null;
  }

  #matching(section: Section, name: string, pattern: RegExp, expected: string): string | null {
    const field = this.#need(section, name);
    if (!field || pattern.test(field.value)) return field?.value ?? null;
    this.#fault(field.line, 'field-wrong', `${name}=${shown(field.value)}: expected ${expected}.`);
    return null;
  }

  #account(section: Section, name: string): string | null {
    return this.#matching(section, name, ACCOUNT, 'the digits of an account');
  }

  #day(section: Section, name: string): string | null {
    const text = this.#matching(section, name, DAY, 'a day such as 29.11.2026');
    const day = text === null ? null : text.split('.').toReversed().join('-');
    if (day === null || isDay(day)) return day;
    this.#fault(section.fields.get(name)?.line ?? 1, 'field-wrong', `${name}=${text}: there is no such day.`);
    return null;
  }

  /** @param least whether it may be below 0 (`any`), 0 (`none`), or is more (`some`). */
  #amount(section: Section, name: string, least: 'any' | 'none' | 'some'): bigint | null {
    const text = this.#matching(section, name, AMOUNT, 'an amount such as 1234.56');
    const [, minus, whole = '', part = ''] = AMOUNT.exec(text ?? '') ?? [];
    if (text === null) return null;
    const tiyin = BigInt(whole) * 100n + BigInt(part.padEnd(2, '0'));
    if (least === 'any' || (!minus && (least === 'none' || tiyin > 0n))) return minus ? -tiyin : tiyin;
    this.#fault(section.fields.get(name)?.line ?? 1, 'field-wrong', `${name}=${text}: expected more than 0.`);
    return null;
  }

  #fault(line: number, fault: BankFault, says: string): void {
    if (this.faults.length < FAULTS_MAX) this.faults.push({ line, fault, says });
  }
}

const SHOWN_CHARS_MAX = 40;
const shown = (value: string): string =>
  value.length > SHOWN_CHARS_MAX ? `${value.slice(0, SHOWN_CHARS_MAX)}…` : value;

function cut(text: string): readonly [name: string, value: string | null] {
  const at = text.indexOf('=');
  return at < 0 ? [text, null] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

const isDay = (day: string): boolean => {
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
};

import {
  type BankDocument,
  type BankFile,
  bankAmount,
  bankDay,
  type BankParty,
  type BankTotals,
} from './file.ts';
import { NAME_CHARS_MAX, PURPOSE_CHARS_MAX } from './file.ts';
import { type BankEncoding, bankText } from './letters.ts';

const END = '\r\n';
/** Of the format, which has not changed since. */
const VERSION = '1.03';
const ORDER = 'Платежное поручение';

/** The file as text, in signs that its encoding has. Equal files are equal texts. */
export function writeBankFile(file: BankFile): string {
  const { encoding } = file;
  const lines = [
    '1CClientBankExchange',
    `ВерсияФормата=${VERSION}`,
    `Кодировка=${encoding}`,
    `Отправитель=${bankText(file.sender, encoding, NAME_CHARS_MAX)}`,
    `ДатаНачала=${bankDay(file.from)}`,
    `ДатаКонца=${bankDay(file.to)}`,
    `РасчСчет=${file.account}`,
    `Документ=${ORDER}`,
    ...(file.totals ? totalsOf(file, file.totals) : []),
    ...file.documents.flatMap((document) => documentOf(document, encoding)),
    'КонецФайла',
  ];
  return lines.join(END) + END;
}

const totalsOf = ({ from, to, account }: BankFile, totals: BankTotals): readonly string[] => [
  'СекцияРасчСчет',
  `ДатаНачала=${bankDay(from)}`,
  `ДатаКонца=${bankDay(to)}`,
  `РасчСчет=${account}`,
  `НачальныйОстаток=${signed(totals.opening)}`,
  `ВсегоПоступило=${bankAmount(totals.received)}`,
  `ВсегоСписано=${bankAmount(totals.spent)}`,
  `КонечныйОстаток=${signed(totals.closing)}`,
  'КонецРасчСчет',
];

/** An account may be overdrawn. */
const signed = (tiyin: bigint): string => (tiyin < 0n ? `-${bankAmount(-tiyin)}` : bankAmount(tiyin));

function documentOf(document: BankDocument, encoding: BankEncoding): readonly string[] {
  return [
    `СекцияДокумент=${ORDER}`,
    `Номер=${document.number}`,
    `Дата=${bankDay(document.day)}`,
    `Сумма=${bankAmount(document.amount)}`,
    ...partyOf('Плательщик', document.payer, encoding),
    ...partyOf('Получатель', document.payee, encoding),
    ...(document.bookedOn === null ? [] : [`ДатаСписано=${bankDay(document.bookedOn)}`]),
    `НазначениеПлатежа=${bankText(document.purpose, encoding, PURPOSE_CHARS_MAX)}`,
    'КонецДокумента',
  ];
}

const partyOf = (who: string, party: BankParty, encoding: BankEncoding): readonly string[] => [
  `${who}Счет=${party.account}`,
  `${who}=${bankText(party.name, encoding, NAME_CHARS_MAX)}`,
  `${who}ИНН=${party.taxId ?? ''}`,
  `${who}БИК=${party.bankCode ?? ''}`,
];

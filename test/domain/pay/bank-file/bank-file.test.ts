import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BankFile, NAME_CHARS_MAX, PURPOSE_CHARS_MAX } from '../../../../domain/pay/bank-file/file.ts';
import { bankText } from '../../../../domain/pay/bank-file/letters.ts';
import { type BankFileReading, readBankFile } from '../../../../domain/pay/bank-file/read.ts';
import { payoutOf, purposeWith } from '../../../../domain/pay/bank-file/reference.ts';
import { writeBankFile } from '../../../../domain/pay/bank-file/write.ts';
import { bankFileBytes, bankFileText } from '../../../../infra/pay/bank-file-bytes.ts';
import { bankFile, bankFiles, document, OURS } from './file.ts';

/** As its texts are written. */
function written(file: BankFile): BankFile {
  const name = (text: string) => bankText(text, file.encoding, NAME_CHARS_MAX);
  return {
    ...file,
    sender: name(file.sender),
    documents: file.documents.map((one) => ({
      ...one,
      payer: { ...one.payer, name: name(one.payer.name) },
      payee: { ...one.payee, name: name(one.payee.name) },
      purpose: bankText(one.purpose, file.encoding, PURPOSE_CHARS_MAX),
    })),
  };
}

test('what is written is read again, through its bytes', () => {
  fc.assert(
    fc.property(bankFiles, (file) => {
      const text = writeBankFile(file);
      const bytes = bankFileText(bankFileBytes(text, file.encoding));
      expect(bytes).toEqual({ ok: true, text });
      expect(readBankFile(text)).toEqual({ ok: true, file: written(file) });
    }),
    { numRuns: 500 },
  );
});

test('lines end as in Windows, amounts have a point and two digits, days a point', () => {
  const text = writeBankFile(bankFile({ documents: [document({ amount: 5n, number: '7' })] }));
  const lines = text.split('\r\n');
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(lines).toEqual(
    expect.arrayContaining([
      'Кодировка=Windows',
      `РасчСчет=${OURS}`,
      'СекцияДокумент=Платежное поручение',
      'Номер=7',
      'Дата=29.11.2026',
      'Сумма=0.05',
      'ПолучательСчет=22618000100765432001',
      'Получатель=Алишер Кодиров',
      'НазначениеПлатежа=NB-01932f5e-7c31-7abc-8def-001122334455 за ноябрь',
      'КонецДокумента',
    ]),
  );
  expect(lines.slice(-2)).toEqual(['КонецФайла', '']);
});

describe('our reference in a purpose', () => {
  const id = '01932f5e-7c31-7abc-8def-001122334455';
  const other = '01932f5e-7c31-7abc-8def-001122334456';

  test('outlives a text of any length', () => {
    const purpose = purposeWith(id, 'за ноябрь '.repeat(60), 'Windows');
    expect(purpose.length).toBeLessThanOrEqual(PURPOSE_CHARS_MAX);
    expect(payoutOf(purpose)).toBe(id);
  });

  test.each([
    [`NB-${id.toUpperCase()} ЗА НОЯБРЬ`, id],
    [`00001,NB-${id};ИНН 3`, id],
    [`NB-${id} NB-${id}`, id],
    [`NB-${id}1`, null],
    [`NB-${id}-2`, null],
    [`XNB-${id}`, null],
    [`ЖNB-${id}`, null],
    [id, null],
    [`NB-${id.slice(0, -1)}`, null],
    [`NB-${id} NB-${other}`, null],
    ['', null],
  ])('of "%s" is %s', (purpose, payout) => {
    expect(payoutOf(purpose)).toBe(payout);
  });
});

const lineOf = (text: string, line: string): number => text.split('\r\n').indexOf(line) + 1;
const faultsOf = (reading: BankFileReading) => (reading.ok ? [] : reading.faults);

describe('a damaged file is refused whole, and its line is named', () => {
  const totals = { opening: 500_000n, received: 0n, spent: 123_456n, closing: 376_544n };
  const statement = writeBankFile(bankFile({ totals }));
  test('whole it is read', () => expect(readBankFile(statement).ok).toBe(true));

  test.each<[string, (text: string) => string, string, (text: string) => number]>([
    [
      'without its end',
      (text) => text.replace('КонецФайла\r\n', ''),
      'truncated',
      (text) => text.split('\r\n').length,
    ],
    [
      'cut in a document',
      (text) => text.slice(0, text.indexOf('ПолучательСчет')),
      'section-open',
      (text) => text.split('\r\n').length,
    ],
    [
      'with an amount by a comma',
      (text) => text.replace('Сумма=1234.56', 'Сумма=1234,56'),
      'field-wrong',
      (text) => lineOf(text, 'Сумма=1234,56'),
    ],
    [
      'with an amount of nothing',
      (text) => text.replace('Сумма=1234.56', 'Сумма=0.00'),
      'field-wrong',
      (text) => lineOf(text, 'Сумма=0.00'),
    ],
    [
      'with an amount below nothing',
      (text) => text.replace('Сумма=1234.56', 'Сумма=-1.00'),
      'field-wrong',
      (text) => lineOf(text, 'Сумма=-1.00'),
    ],
    [
      'with no such day',
      (text) => text.replace('Дата=29.11.2026', 'Дата=31.11.2026'),
      'field-wrong',
      (text) => lineOf(text, 'Дата=31.11.2026'),
    ],
    [
      'without a number',
      (text) => text.replace('Номер=1\r\n', ''),
      'field-missing',
      (text) => lineOf(text, 'СекцияДокумент=Платежное поручение'),
    ],
    [
      'with a field twice',
      (text) => text.replace('Номер=1\r\n', 'Номер=1\r\nНомер=2\r\n'),
      'field-twice',
      (text) => lineOf(text, 'Номер=2'),
    ],
    [
      'with another amount than its totals',
      (text) => text.replace('Сумма=1234.56', 'Сумма=1234.57'),
      'totals-differ',
      (text) => lineOf(text, 'ВсегоСписано=1234.56'),
    ],
    [
      'with a balance that does not follow',
      (text) => text.replace('КонечныйОстаток=3765.44', 'КонечныйОстаток=3765.45'),
      'totals-differ',
      (text) => lineOf(text, 'КонечныйОстаток=3765.45'),
    ],
    [
      'of two accounts',
      (text) => text.replace('КонецРасчСчет', 'КонецРасчСчет\r\nСекцияРасчСчет\r\nКонецРасчСчет'),
      'field-twice',
      (text) => text.split('\r\n').lastIndexOf('СекцияРасчСчет') + 1,
    ],
    [
      'with a payment of others',
      (text) => text.replace(`ПлательщикСчет=${OURS}`, 'ПлательщикСчет=20208000900123456002'),
      'field-wrong',
      (text) => lineOf(text, 'СекцияДокумент=Платежное поручение'),
    ],
    [
      'with another one behind it',
      (text) => text + text,
      'text-after-end',
      (text) => text.split('\r\n').indexOf('КонецФайла') + 2,
    ],
    ['of another sort', () => 'Дата;Сумма\r\n', 'not-a-bank-file', () => 1],
    [
      'with a line of none',
      (text) => text.replace('Номер=1', 'Номер 1'),
      'line-unreadable',
      (text) => lineOf(text, 'Номер 1'),
    ],
    [
      'of an unknown encoding',
      (text) => text.replace('Кодировка=Windows', 'Кодировка=UTF-8'),
      'field-wrong',
      () => 3,
    ],
  ])('%s', (_, damage, fault, line) => {
    const damaged = damage(statement);
    expect(faultsOf(readBankFile(damaged))).toContainEqual({
      line: line(damaged),
      fault,
      says: expect.stringMatching(/[.?]$/),
    });
  });

  test('orders with a number twice; in a statement, where banks number too, it is none', () => {
    const documents = [document(), document({ amount: 1n })];
    const orders = writeBankFile(bankFile({ documents }));
    expect(faultsOf(readBankFile(orders))).toEqual([
      {
        line: orders.split('\r\n').lastIndexOf('Номер=1') + 1,
        fault: 'number-twice',
        says: `Номер=1 is on line ${lineOf(orders, 'Номер=1')} already.`,
      },
    ]);
    const both = { opening: 500_000n, received: 0n, spent: 123_457n, closing: 376_543n };
    expect(readBankFile(writeBankFile(bankFile({ documents, totals: both }))).ok).toBe(true);
  });

  test('cut anywhere, it is never read', () => {
    for (let at = 0; at < statement.length - 'КонецФайла\r\n'.length + 9; at += 7)
      expect(readBankFile(statement.slice(0, at)).ok, String(at)).toBe(false);
  });

  test('of faults without end the first fifty are told', () => {
    const broken = statement.replace('Номер=1', 'что-то\r\n'.repeat(500));
    expect(faultsOf(readBankFile(broken))).toHaveLength(50);
  });
});

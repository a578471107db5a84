import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bankEncodings,
  bankText,
  encodable,
  transliteration,
} from '../../../../domain/pay/bank-file/letters.ts';
import { bankFileBytes } from '../../../../infra/pay/bank-file-bytes.ts';

describe.each(bankEncodings)('%s', (encoding) => {
  test('has every sign that it is said to have', () => {
    expect(() => bankFileBytes(encodable[encoding], encoding)).not.toThrow();
  });

  test('has every sign that stands for another', () => {
    for (const [sign, written] of Object.entries(transliteration))
      expect(bankText(written, encoding, 10), sign).toBe(written);
  });

  test('loses no sign of whatever text, and none becomes a question mark', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const written = bankText(text, encoding, 210);
        expect(() => bankFileBytes(written, encoding)).not.toThrow();
        expect(written.split('?').length).toBeLessThanOrEqual(text.normalize('NFKD').split('?').length);
        expect(written).not.toMatch(/[\r\n\t]/);
        // Written again it is the same.
        expect(bankText(written, encoding, 210)).toBe(written);
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  ['Oʻktam Gʻofurov', "O'ktam G'ofurov"],
  ['Қодир Ғуломов, Ҳамза Ўринов', 'Кодир Гуломов, Хамза Ўринов'],
  ['Şahin Çağlar, Łukasz', 'Sahin Caglar, Lukasz'],
  ['日 😀', '_ _'],
  ['за ноябрь\r\nСумма=999.99', 'за ноябрь Сумма=999.99'],
])('%s is written %s', (text, written) => {
  expect(bankText(text, 'Windows', 210)).toBe(written);
});

test('quotes that cp866 does not have are plain ones there', () => {
  expect(bankText('ООО «Чилонзор» — №1', 'Windows', 210)).toBe('ООО «Чилонзор» — №1');
  expect(bankText('ООО «Чилонзор» — №1', 'DOS', 210)).toBe('ООО "Чилонзор" - №1');
});

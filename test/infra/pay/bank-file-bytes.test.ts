import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { writeBankFile } from '../../../domain/pay/bank-file/write.ts';
import { bankFileBytes, bankFileText } from '../../../infra/pay/bank-file-bytes.ts';
import { bankFile } from '../../domain/pay/bank-file/file.ts';

const text = writeBankFile(bankFile());

test('a sign that would be lost stops the writing', () => {
  expect(() => bankFileBytes('Қодир', 'Windows')).toThrow('not in windows-1251');
  expect(() => bankFileBytes('«»', 'DOS')).toThrow('not in cp866');
});

describe('a file of another encoding than it says is refused, by its line', () => {
  test.each([
    ['cp866', 'Windows'],
    ['utf-8', 'Windows'],
    ['windows-1251', 'DOS'],
  ])('written in %s, it says %s', (charset, said) => {
    const bytes = iconv.encode(text.replace('Кодировка=Windows', `Кодировка=${said}`), charset);
    expect(bankFileText(bytes)).toEqual({
      ok: false,
      faults: [
        {
          line: 3,
          fault: 'wrong-encoding',
          says: expect.stringContaining(`${said}, and is written in ${charset}`),
        },
      ],
    });
  });

  test('a byte that is no sign of it', () => {
    const bytes = bankFileBytes(text, 'Windows');
    bytes[bytes.indexOf(0x0a) + 2] = 0x98;
    expect(bankFileText(bytes)).toMatchObject({ ok: false, faults: [{ line: 2, fault: 'wrong-encoding' }] });
  });

  test('that says none', () => {
    expect(bankFileText(Buffer.from('1CClientBankExchange\r\n'))).toMatchObject({ ok: false });
    expect(bankFileText(Buffer.alloc(0))).toMatchObject({ ok: false });
  });
});

test('both encodings come back as they were', () => {
  expect(bankFileText(bankFileBytes(text, 'Windows'))).toEqual({ ok: true, text });
  const dos = writeBankFile(bankFile({ encoding: 'DOS' }));
  expect(bankFileText(bankFileBytes(dos, 'DOS'))).toEqual({ ok: true, text: dos });
});

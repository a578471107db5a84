import fc from 'fast-check';
import type { BankDocument, BankFile } from '../../../../domain/pay/bank-file/file.ts';

export const OURS = '20208000900123456001';

export const document = (change: Partial<BankDocument> = {}): BankDocument => ({
  number: '1',
  day: '2026-11-29',
  amount: 1_234_56n,
  payer: { account: OURS, name: 'Navbat', taxId: '301234567', bankCode: '00444' },
  payee: { account: '22618000100765432001', name: 'Алишер Қодиров', taxId: null, bankCode: '00873' },
  purpose: 'NB-01932f5e-7c31-7abc-8def-001122334455 за ноябрь',
  bookedOn: null,
  ...change,
});

export const bankFile = (change: Partial<BankFile> = {}): BankFile => ({
  encoding: 'Windows',
  sender: 'Navbat',
  account: OURS,
  from: '2026-11-29',
  to: '2026-11-29',
  totals: null,
  documents: [document()],
  ...change,
});

const account = fc.stringMatching(/^[1-9]\d{19}$/).filter((digits) => digits !== OURS);
/** Whatever people write, and what would be a field of the file if it came to stand at the beginning of a line. */
const words = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 250 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('Oʻktam Gʻofurov', 'Қодир Ғуломов\r\nСумма=999.99', 'Ҳамза Ў «Чилонзор»', 'КонецФайла'),
);
const day = fc
  .date({ min: new Date('2020-01-01T00:00:00Z'), max: new Date('2039-12-31T00:00:00Z'), noInvalidDate: true })
  .map((at) => at.toISOString().slice(0, 10));
const amount = fc.bigInt({ min: 1n, max: 10n ** 13n });
const maybe = (pattern: RegExp) => fc.option(fc.stringMatching(pattern), { nil: null });

const party = fc.record({ account, name: words, taxId: maybe(/^\d{9}$/), bankCode: maybe(/^\d{5}$/) });
const orders = fc.uniqueArray(
  fc.record({
    number: fc.integer({ min: 1, max: 999_999 }).map(String),
    day,
    amount,
    payer: party.map((one) => ({ ...one, account: OURS })),
    payee: party,
    purpose: words,
    bookedOn: fc.option(day, { nil: null }),
  }),
  { selector: ({ number }) => number, maxLength: 6 },
);

/** A file of orders, or a statement with totals that are right. */
export const bankFiles: fc.Arbitrary<BankFile> = fc
  .record({
    encoding: fc.constantFrom('Windows' as const, 'DOS' as const),
    sender: words,
    from: day,
    to: day,
    documents: orders,
    opening: fc.option(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), { nil: null }),
  })
  .map(({ opening, ...file }) => {
    const spent = file.documents.reduce((total, one) => total + one.amount, 0n);
    const totals = opening === null ? null : { opening, received: 0n, spent, closing: opening - spent };
    return { ...file, account: OURS, totals };
  });

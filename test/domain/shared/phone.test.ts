import { describe, expect, test } from 'vitest';
import {
  knownPhone,
  parsePhone,
  phoneFault,
  readPhone,
  readTelegramPhone,
} from '../../../domain/shared/phone.ts';

const NUMBER = '+998901110005';
const faultOf = (text: string, read = readPhone) => {
  const reading = read(text);
  return reading.ok ? null : phoneFault(reading);
};

describe('a number in international form', () => {
  test.each([
    '+998901110005',
    '+998 90 111-00-05',
    '+998 (90) 111 00 05',
    '+998.90.111.00.05',
    ' +998901110005\n',
    'tel:+998901110005',
    'TEL:+998-90-111-00-05',
    '00998901110005',
    '00 998 90 111 00 05',
    '＋９９８９０１１１０００５',
    '\u202a+998901110005\u202c',
    '+998\u00a090\u00a0111\u00a000\u00a005',
    '+998\u201190\u2011111\u201100\u201105',
  ])('%j is read', (text) => {
    expect(parsePhone(text)?.e164).toBe(NUMBER);
  });

  test.each([
    `${NUMBER} ext. 12`,
    `${NUMBER};ext=12`,
    `${NUMBER}x5`,
    `${NUMBER},,1`,
    `${NUMBER}#12`,
    `${NUMBER};1`,
    `${NUMBER} доб. 12`,
    `tel:${NUMBER};ext=12`,
  ])('%j has an extension, which would be lost', (text) => {
    expect(faultOf(text)).toContain('without an extension');
    expect(faultOf(text, readTelegramPhone)).toContain('without an extension');
  });

  test.each([
    '',
    '+',
    'not a phone',
    'call +998901110005',
    `${NUMBER}/+998901110006`,
    '++998901110005',
    '+99890111000',
    '+9989011100055',
    '901110005',
    '89001234567',
    '0901110005',
    '+0998901110005',
  ])('%j is none, and says what was expected', (text) => {
    expect(faultOf(text)).toContain('expected a phone number in international form, such as +998901234567');
  });

  test('without its plus it is asked for it: it could be a national number', () => {
    expect(faultOf('998 90 111 00 05')).toMatch(/did you mean \+998901110005\?$/);
  });
});

describe('lists of numbers are hints', () => {
  test.each(['+998551234567', '+998001234567', '+998711234567'])('%s may get an SMS', (text) => {
    expect(parsePhone(text)).toMatchObject({ country: 'UZ', isPremiumRate: false });
  });

  test('but nothing is paid for at a premium rate', () => {
    expect(parsePhone('+449098790000')?.isPremiumRate).toBe(true);
  });
});

describe('a number as Telegram gives it', () => {
  test.each(['998901110005', '+998901110005', '998 90 111 00 05', '00998901110005'])('%j is read', (text) => {
    const read = readTelegramPhone(text);
    expect(read.ok && read.phone.e164).toBe(NUMBER);
  });

  test('is its person’s, whatever the lists say', () => {
    const read = readTelegramPhone('+888 0123 4567');
    expect(read.ok && read.phone).toMatchObject({ e164: '+88801234567', country: null });
    expect(knownPhone('+88801234567')).toEqual(read.ok && read.phone);
    expect(knownPhone(NUMBER)).toEqual(parsePhone(NUMBER));
  });

  test.each(['', '12345', 'hello', '0901110005', '1234567890123456'])('%j is none', (text) => {
    expect(readTelegramPhone(text).ok).toBe(false);
  });
});

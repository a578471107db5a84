import { expect, test } from 'vitest';
import { smsSegments, smsSize } from '../../../domain/shared/sms-segments.ts';

test.each([
  { what: 'nothing', text: '', segments: 1 },
  { what: '160 letters of GSM', text: 'x'.repeat(160), segments: 1 },
  { what: '161 letters of GSM', text: 'x'.repeat(161), segments: 2 },
  { what: '306 letters of GSM', text: 'x'.repeat(306), segments: 2 },
  { what: '307 letters of GSM', text: 'x'.repeat(307), segments: 3 },
  { what: '80 euros, two places each', text: '€'.repeat(80), segments: 1 },
  { what: '81 euros', text: '€'.repeat(81), segments: 2 },
  { what: '153 euros, of which one message holds 76', text: '€'.repeat(153), segments: 3 },
  {
    what: 'a euro that would be split between two messages',
    text: `${'x'.repeat(152)}€${'x'.repeat(152)}`,
    segments: 3,
  },
  { what: '70 letters of Cyrillic', text: 'ж'.repeat(70), segments: 1 },
  { what: '71 letters of Cyrillic', text: 'ж'.repeat(71), segments: 2 },
  { what: '134 letters of Cyrillic', text: 'ж'.repeat(134), segments: 2 },
  { what: '135 letters of Cyrillic', text: 'ж'.repeat(135), segments: 3 },
  { what: 'one ʻ among 70 Latin letters', text: `${'o'.repeat(70)}ʻ`, segments: 2 },
  { what: '35 emoji, two units each', text: '🙂'.repeat(35), segments: 1 },
  { what: '36 emoji', text: '🙂'.repeat(36), segments: 2 },
  { what: '67 emoji, of which one message holds 33', text: '🙂'.repeat(67), segments: 3 },
  {
    what: 'an emoji that would be split between two messages',
    text: `${'ж'.repeat(66)}🙂${'ж'.repeat(66)}`,
    segments: 3,
  },
])('$what: $segments SMS', ({ text, segments }) => {
  expect(smsSegments(text)).toBe(segments);
});

test('a text’s alphabet is told, with each letter that GSM does not have and the places that it takes', () => {
  expect(smsSize('Kod: 1 €')).toEqual({ alphabet: 'gsm', length: 9, segments: 1, ucs2Letters: [] });
  expect(smsSize('oʻzʻ € 🙂')).toEqual({
    alphabet: 'ucs-2',
    length: 9,
    segments: 1,
    ucs2Letters: ['ʻ', '🙂'],
  });
});

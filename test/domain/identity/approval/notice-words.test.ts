import { expect, test } from 'vitest';
import { allNoticeWords, noticeWords } from '../../../../domain/identity/approval/notice-words.ts';
import type { NoticeKind } from '../../../../domain/identity/approval/notice.ts';
import { Locale } from '../../../../domain/shared/locale.ts';
import { foreignLetters } from '../../../support/alphabets.ts';
import { VISIBLE_LINE } from '../../../../domain/shared/visible-line.ts';

const kinds = Object.keys(allNoticeWords) as NoticeKind[];

test('a lock screen, which anybody sees, is told no number, no amount and no name that is filled in', () => {
  for (const kind of kinds)
    for (const locale of Locale.options)
      for (const words of Object.values(noticeWords(kind, locale))) {
        expect(words).not.toMatch(/[\d{}$%]/);
        expect(words).toMatch(VISIBLE_LINE);
      }
});

test('each notice says something else, and each in its own language', () => {
  const bodies = kinds.flatMap((kind) => Locale.options.map((locale) => noticeWords(kind, locale).body));
  expect(new Set(bodies).size).toBe(bodies.length);
  for (const kind of kinds) {
    for (const locale of Locale.options)
      for (const words of Object.values(noticeWords(kind, locale)))
        expect(foreignLetters(words, locale), `${locale}: ${words}`).toEqual([]);
  }
});

import { describe, expect, test } from 'vitest';
import { type BotLocale, texts, textsFor } from '../../../apps/bot/texts.ts';
import { allNoticeWords, noticeWords } from '../../../domain/identity/approval/notice-words.ts';
import { identityCodeTexts } from '../../../domain/identity/code-texts.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import { codeText } from '../../../domain/verify/text.ts';
import { Locale } from '../../../domain/shared/locale.ts';

const settings = ProjectSettings.parse({});
const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' } as const;
const codeTexts = (locale: Locale, medium: 'sms' | 'screen') =>
  [null, ...identityCodeTexts.values()].flatMap((purposeTexts) =>
    [null, payment].map(
      (paid) =>
        codeText(
          { code: '123456', project: 'Navbat', purposeTexts, payment: paid, ttlSeconds: 300, locale },
          settings,
          medium,
        ).text,
    ),
  );
const said = (locale: BotLocale): string[] =>
  Object.values(texts[locale]).map((text) => (typeof text === 'string' ? text : text('5' as never)));
const pushed = (locale: Locale): string[] =>
  Object.values(allNoticeWords).flatMap((words) => Object.values(words[locale]));
const onScreens = (locale: BotLocale) => [...said(locale), ...pushed(locale), ...codeTexts(locale, 'screen')];

describe('what people read', () => {
  test('in Uzbek has one apostrophe on screens, and the ASCII one in SMS', () => {
    for (const text of onScreens('uz')) expect(text).not.toMatch(/['ʻʼ’`]/);
    for (const text of codeTexts('uz', 'sms')) expect(text).toMatch(/^[\x20-\x7e]*$/);
  });

  test('in an SMS has no letter that makes it twice as dear, a name of the project included', () => {
    const text = {
      code: '123456',
      purposeTexts: null,
      payment: null,
      ttlSeconds: 300,
      locale: 'uz',
    } as const;
    expect(codeText({ ...text, project: 'Ta‘lim Oʻzbek' }, settings, 'sms').text).toContain(
      "Ta'lim O'zbek: ",
    );
    for (const each of codeTexts('en', 'sms')) expect(each).toMatch(/^[\x20-\x7e]*$/);
  });

  test.each([
    ['uz', /yopil|yopgan|Qulf|Navbatda|Navbatni |bir kunga/],
    ['ru', /закрыт|успешно подтвержд|открыть/],
    ['en', /works for|Never share|asked for|was bound|closed/],
  ] as const)('in %s has none of the words that misled', (locale, misleading) => {
    for (const text of onScreens(locale)) expect(text).not.toMatch(misleading);
  });

  test('is the bot’s conversation in one of its three languages, whatever language their codes are in', () => {
    for (const locale of Locale.options) expect(Object.values(texts), locale).toContain(textsFor(locale));
    expect(textsFor('uz-Cyrl')).toBe(texts.uz);
    expect(textsFor('kk')).toBe(texts.ru);
  });

  test('says what the corrections say', () => {
    expect(texts.uz.verified).toContain('Ro‘yxatdan muvaffaqiyatli o‘tdingiz');
    expect(texts.uz.locked).toContain('kod yuborish 24 soatga bloklandi');
    expect(texts.uz.unlocked).toContain('Blok olib tashlandi');
    expect(texts.ru.verified).toContain('Готово, вы зарегистрированы');
    expect(texts.ru.help).toContain('снять блокировку');
    expect(noticeWords('challenge', 'en').title).toBe('Approval request');
    expect(noticeWords('device-bound', 'en').title).toBe('New device added');
    expect(codeTexts('ru', 'sms')[0]).toBe('Navbat: код 123456, 5 мин. Никому не сообщайте.');
    expect(codeTexts('en', 'sms')[0]).toBe("Navbat: code 123456, 5 min. Don't share it.");
  });
});

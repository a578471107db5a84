import { describe, expect, test } from 'vitest';
import { identityCodeTexts } from '../../../domain/identity/code-texts.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { smsSize } from '../../../domain/shared/sms-segments.ts';
import { codeText, type Templates, type TextSettings } from '../../../domain/verify/text.ts';
import { textPreviews, textWarnings } from '../../../domain/verify/text-preview.ts';
import { foreignLetters } from '../../support/alphabets.ts';
import { textSettings } from './text-settings.ts';

const templateWarnings = (project: string, templates: Templates) =>
  textWarnings(project, textSettings({ templates }));

/** As long as a name may be for its texts to be one SMS. */
const NAME = 'x'.repeat(20);
const latin = ['uz', 'en'] as const satisfies readonly Locale[];
const cyrillic = Locale.options.filter((locale) => !latin.some((each) => each === locale));
const longestSms = (locale: Locale, settings: Partial<TextSettings>, name = NAME) =>
  textPreviews(name, textSettings(settings), null).find((each) => each.locale === locale)?.longest;

describe('every text is one SMS with a name of 20 characters, the longest code and two digits of minutes', () => {
  test.each(Locale.options)('in %s: the standard text, whatever letters the name has', (locale) => {
    expect(longestSms(locale, {})?.segments).toBe(1);
    expect(longestSms(locale, {}, 'Ж'.repeat(NAME.length))?.segments).toBe(1);
  });

  test.each(Locale.options)('in %s: those of identity', (locale) => {
    for (const purposeTexts of identityCodeTexts.values()) {
      const words = { code: '12345678', project: NAME, purposeTexts, payment: null, ttlSeconds: 600, locale };
      const { text } = codeText(words, textSettings(), 'sms');
      expect(smsSize(text).segments, text).toBe(1);
    }
  });

  // A host of 30 characters, and the hash of an app with it.
  test.each(latin)('in %s also with the line that programs read', (locale) => {
    const both = { sms_web_origin: `${'x'.repeat(26)}.com`, sms_app_hash: 'FA+9qCX9VSu' };
    expect(longestSms(locale, both)?.segments).toBe(1);
  });

  test.each(cyrillic)(
    'in %s with that line where the template is short, and two where it is the standard one',
    (locale) => {
      const both = { sms_web_origin: 'example.com', sms_app_hash: 'FA+9qCX9VSu' };
      expect(longestSms(locale, { sms_web_origin: 'example.com' })?.segments).toBe(2);
      expect(longestSms(locale, { sms_app_hash: 'FA+9qCX9VSu' })?.segments).toBe(2);
      const templates = { [locale]: '{project}: код {code}' };
      expect(longestSms(locale, { templates, ...both })?.segments).toBe(1);
    },
  );
});

describe('a payment’s text is longer', () => {
  const sizes = (payment: { amount: string; payee: string }) =>
    Object.fromEntries(
      textPreviews(NAME, textSettings(), { ...payment, currency: 'UZS' }).map(({ locale, longest }) => [
        locale,
        longest.segments,
      ]),
    );

  test('two SMS in Cyrillic of an ordinary amount, and one in Latin', () => {
    expect(sizes({ amount: '15000000', payee: 'Korzinka' })).toEqual({
      uz: 1,
      en: 1,
      ru: 2,
      'uz-Cyrl': 2,
      kk: 2,
      ky: 2,
      tg: 2,
    });
  });

  test('up to four of the largest amount to the longest payee', () => {
    expect(sizes({ amount: '9'.repeat(18), payee: 'ж'.repeat(64) })).toEqual({
      uz: 4,
      en: 3,
      ru: 3,
      'uz-Cyrl': 3,
      kk: 3,
      ky: 3,
      tg: 3,
    });
  });
});

test.each(Locale.options)('in %s every text has only letters of that language', (locale) => {
  for (const purposeTexts of [null, ...identityCodeTexts.values()])
    for (const payment of [null, { amount: '100', currency: 'UZS', payee: '-' }])
      for (const templates of [{}, { [locale]: '{code}' }]) {
        const words = { code: '1', project: '-', purposeTexts, payment, ttlSeconds: 60, locale };
        const { title, text } = codeText(words, textSettings({ templates }), 'screen');
        expect(foreignLetters(`${title} ${text.replace('UZS', '')}`, locale), text).toEqual([]);
      }
});

describe('a code is one SMS in every language', () => {
  test('also with a name of 26 Cyrillic letters, and a longer one is warned of', () => {
    const name = 'Ж'.repeat(26);
    expect(templateWarnings(name, {}).filter(({ pointer }) => pointer.endsWith('ru'))).toEqual([]);

    expect(templateWarnings('Ж'.repeat(40), {})).toContainEqual(
      expect.objectContaining({ pointer: '/settings/display_name', segments: 2 }),
    );
  });

  test('and a template that is not one is warned of, with its count', () => {
    const ru = `{project}: {code}${' слово'.repeat(12)}`;
    expect(templateWarnings('Shop', { ru })).toEqual([
      expect.objectContaining({ pointer: '/settings/templates/ru', segments: 2 }),
    ]);
    expect(templateWarnings('Shop', { uz: "Kod {code}, o'zingiz uchun" })).toEqual([]);
  });
});

test('a text is warned of from the first letter beyond one SMS, in the alphabet that it has', () => {
  const warned = (en: string) => templateWarnings('Shop', { en }).length;
  // The longest code has 8 digits, which the template writes as 6 signs.
  expect(warned(`{code}${'x'.repeat(152)}`)).toBe(0);
  expect(warned(`{code}${'x'.repeat(153)}`)).toBe(1);
  expect(warned(`{code}${'я'.repeat(62)}`)).toBe(0);
  expect(warned(`{code}${'я'.repeat(63)}`)).toBe(1);
});

test('an apostrophe of Uzbek makes no SMS of 70, and no warning says so', () => {
  const [warning] = templateWarnings('Shop', { uz: `{code}${"o'".repeat(100)}` });
  expect(warning?.detail).toContain('70 where one letter is none of it');
  expect(warning?.detail).not.toMatch(/[ʻʼ‘’]/);
  expect(templateWarnings('Shop', { uz: `{code}${'oʻ'.repeat(60)}` })).toEqual([]);
});

test('an own template is named as such, and the standard text by the name that makes it long', () => {
  const long = 'x'.repeat(200);
  expect(templateWarnings('Shop', { uz: `{code}${long}` }).map(({ pointer }) => pointer)).toEqual([
    '/settings/templates/uz',
  ]);
  for (const { pointer } of templateWarnings(long, {})) expect(pointer).toBe('/settings/display_name');
});

describe('the line that programs read', () => {
  const warned = (settings: Partial<TextSettings>) => textWarnings('Shop', textSettings(settings));

  test('is named as what makes a standard text two SMS, and the template where that is the project’s', () => {
    const warnings = warned({ sms_web_origin: 'example.com', sms_app_hash: 'FA+9qCX9VSu' });
    expect(warnings).toHaveLength(cyrillic.length);
    for (const warning of warnings)
      expect(warning).toMatchObject({
        pointer: '/settings/sms_web_origin',
        segments: 2,
        detail: expect.stringContaining('the last line that programs read'),
      });
    const tg = '{project}: код {code}, {minutes} дақиқа. Ба ҳеҷ кас нагӯед';
    expect(
      warned({ templates: { tg }, sms_web_origin: 'example.com' }).map(({ pointer }) => pointer),
    ).toContain('/settings/templates/tg');
  });

  test('is of no use to an app that gets no message of its length, from the first byte beyond 140', () => {
    const pointers = (uz: string) =>
      warned({ templates: { ...short, uz }, sms_app_hash: 'FA+9qCX9VSu' }).map(({ pointer }) => pointer);
    const short = Object.fromEntries(Locale.options.map((locale) => [locale, '{code}']));
    // 8 digits of the code, a line end and 11 of the hash leave 120.
    expect(pointers(`{code}${'x'.repeat(120)}`)).toEqual([]);
    expect(pointers(`{code}${'x'.repeat(121)}`)).toEqual(['/settings/templates/uz']);
    // Each takes two bytes: 60 take 120, and one SMS has 50 of them with the rest.
    expect(pointers(`{code}${'ж'.repeat(50)}`)).toEqual([]);
    expect(pointers(`{code}${'ж'.repeat(51)}`)).toEqual(['/settings/templates/uz']);
    expect(
      warned({ templates: { ...short, uz: `{code}${'x'.repeat(121)}` }, sms_app_hash: 'FA+9qCX9VSu' }),
    ).toEqual([
      {
        pointer: '/settings/templates/uz',
        segments: 1,
        detail: expect.stringContaining('more than 140 bytes'),
      },
    ]);
  });
});

describe('a template that ends in a line of its own for browsers', () => {
  const warned = (uz: string, settings: Partial<TextSettings> = {}, name = 'Shop') =>
    textWarnings(name, textSettings({ templates: { uz }, ...settings })).filter(({ detail }) =>
      detail.includes('browsers'),
    );

  test.each([
    ['a host of its own', 'kod {code}\n@evil.example #{code}', {}],
    ['nothing before it', '@evil.example #{code}', {}],
    ['more behind the code', 'kod\n@evil.example #{code} @frame.example', {}],
    ['line ends behind it', 'kod\n@evil.example #{code}\n\n', {}],
    ['capitals', 'kod\n@Evil.Example #{code}', {}],
    ['another host than the setting', 'kod\n@evil.example #{code}', { sms_web_origin: 'a.uz' }],
    ['an app named', 'kod\n@evil.example #{code}', { sms_app_hash: 'FA+9qCX9VSu' }],
  ])('is told of it: %s', (_what, uz, settings) => {
    expect(warned(uz, settings)).toEqual([
      {
        pointer: '/settings/templates/uz',
        segments: expect.any(Number),
        detail: expect.stringContaining('"evil.example", which is not sms_web_origin'),
      },
    ]);
  });

  test('the name of the project may be that host', () => {
    expect(warned('kod\n@{project} #{code}', {}, 'evil.example')).toHaveLength(1);
  });

  test('is told nothing where that is the host it has set, or where the line is not the last', () => {
    expect(warned('kod\n@a.uz #{code}', { sms_web_origin: 'a.uz' })).toEqual([]);
    for (const uz of ['@evil.example #{code}\nkod', 'kod @evil.example #{code}', 'kod\n@evil.example {code}'])
      expect(warned(uz), uz).toEqual([]);
    expect(textWarnings('Shop', textSettings({}))).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { type CodeWords, codeText, NewTemplates, Templates } from '../../../domain/verify/text.ts';
import { ProjectSettings, SettingsChange } from '../../../domain/settings.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { textSettings } from './text-settings.ts';

const onScreen = (words: CodeWords, templates: Templates) =>
  codeText(words, textSettings({ templates }), 'screen').text;

const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };

describe('the text of a code that moves money', () => {
  const words = { code: '123456', project: 'Shop', purposeTexts: null, payment, ttlSeconds: 300 };

  test.each(Locale.options)('says amount and payee in %s, whatever the template leaves out', (locale) => {
    const own = { [locale]: 'Kod {code}' };
    for (const templates of [{}, own]) {
      const text = onScreen({ ...words, locale }, templates);
      for (const part of ['123456', '150 000.00 UZS', 'Korzinka']) expect(text).toContain(part);
      expect(text).not.toMatch(/[{}]/);
    }
  });

  test('says them once where the template does, and fills nothing in that a payee says', () => {
    const templates = { en: '{payee} gets {amount}: {code}' };
    expect(onScreen({ ...words, locale: 'en' }, templates)).toBe('Korzinka gets 150 000.00 UZS: 123456');
    const sly = { ...payment, payee: '{code}' };
    expect(onScreen({ ...words, payment: sly, locale: 'en' }, templates)).toBe(
      '{code} gets 150 000.00 UZS: 123456',
    );
  });

  test('says nothing of money where none moves', () => {
    const text = onScreen({ ...words, payment: null, locale: 'en' }, { en: '{code} for {project}' });
    expect(text).toBe('123456 for Shop');
  });
});

describe('the text of a code', () => {
  const words = { code: '123456', project: 'Shop', purposeTexts: null, payment: null, locale: 'en' } as const;
  const minutes = (ttlSeconds: number) => onScreen({ ...words, ttlSeconds }, { en: '{code} {minutes}' });

  test('says whole minutes, a started one counted, and never none', () => {
    for (const [seconds, said] of [
      [1, 1],
      [60, 1],
      [61, 2],
      [300, 5],
      [600, 10],
    ] as const)
      expect(minutes(seconds)).toBe(`123456 ${said}`);
  });

  test('is the project’s own before its purpose’s, and its purpose’s before the standard one', () => {
    const purposeTexts = allLocales('p {code}');
    const said = { ...words, ttlSeconds: 60, purposeTexts };
    expect(onScreen(said, { en: 'own {code}' })).toBe('own 123456');
    expect(onScreen(said, { ru: 'own {code}' })).toBe('p 123456');
    expect(onScreen({ ...said, purposeTexts: null }, {})).toContain('code 123456');
  });

  test('leaves alone what is no name of its own, and fills in nothing that a name says', () => {
    const said = { ...words, project: '{code}', ttlSeconds: 60 };
    expect(onScreen(said, { en: '{project}: {secret} {code}' })).toBe('{code}: {secret} 123456');
  });
});

test('a template without the code, or of more than 480 characters, is refused', () => {
  const fill = (length: number) => '{code}'.padEnd(length, 'x');
  expect(Templates.safeParse({ uz: fill(480) }).success).toBe(true);
  for (const uz of [fill(481), '', 'code', '{ code }', '{CODE}'])
    expect(Templates.safeParse({ uz }).success, uz).toBe(false);
  expect(Templates.safeParse({ de: '{code}' }).success).toBe(false);
});

test('a name that is no variable is refused with what was expected and what to do, however often it is there', () => {
  const faults = (uz: string) => NewTemplates.safeParse({ uz }).error?.issues;
  for (const template of [
    '{code} {project} {minutes} {amount} {payee}',
    '{code} :-{',
    '} {code} {',
    '{{code}}',
  ])
    expect(faults(template), template).toBeUndefined();
  for (const name of ['{kode}', '{Code}', '{ code }', '{}', '{code_2}', '{toString}'])
    expect(faults(`{code}: ${name}, ${name}`), name).toEqual([
      expect.objectContaining({
        path: ['uz'],
        message: `${name} is no variable: expected {code}, {project}, {minutes}, {amount} or {payee}, in these letters. Correct the name, or write it without braces`,
      }),
    ]);
  expect(faults('{kode} {name}')).toHaveLength(3);
});

test('a name that is no variable is read where it was stored before names were checked', () => {
  expect(ProjectSettings.parse({ templates: { uz: '{code} {kode}' } }).templates).toEqual({
    uz: '{code} {kode}',
  });
  expect(SettingsChange.safeParse({ templates: { uz: '{code} {kode}' } }).success).toBe(false);
});

test('a letter that is not seen, or turns the writing, is refused by name, and read where it was stored before', () => {
  const faults = (uz: string) => NewTemplates.safeParse({ uz }).error?.issues.map(({ message }) => message);
  for (const [letter, name] of [
    ['\u001b', 'U+001B'],
    ['\0', 'U+0000'],
    ['\r', 'U+000D'],
    ['\t', 'U+0009'],
    ['\u202e', 'U+202E'],
    ['\u2066', 'U+2066'],
    ['\u200b', 'U+200B'],
    ['\u2028', 'U+2028'],
    ['\ud800', 'U+D800'],
  ] as const) {
    expect(faults(`a${letter} {code}`), name).toEqual([expect.stringContaining(`${name} is not seen`)]);
    expect(Templates.safeParse({ uz: `a${letter} {code}` }).success, name).toBe(true);
  }
  for (const template of [
    '{project}\nkod: {code}\n',
    'kod {code} 🔑',
    'tasdiqlash ‘kodi’ {code}',
    'код — {code} ',
  ])
    expect(faults(template), template).toBeUndefined();
});

describe('an SMS that a program reads', () => {
  const words = {
    code: '123456',
    project: 'Shop',
    purposeTexts: null,
    payment: null,
    ttlSeconds: 300,
    locale: 'en',
  } as const;
  const templates = { en: '{code}' };
  const host = { sms_web_origin: 'example.com' };
  const app = { sms_app_hash: 'FA+9qCX9VSu' };
  const sms = (settings: object) => codeText(words, textSettings({ templates, ...settings }), 'sms').text;

  test('ends with the line of the browser, of the Android app, or of both', () => {
    expect(sms({})).toBe('123456');
    expect(sms(host)).toBe('123456\n@example.com #123456');
    expect(sms(app)).toBe('123456\nFA+9qCX9VSu');
    expect(sms({ ...host, ...app })).toBe('123456\n@example.com #123456 FA+9qCX9VSu');
  });

  test('has it under the standard text, a purpose’s and a payment’s too, and nothing on a screen has it', () => {
    for (const more of [{}, { purposeTexts: allLocales('p {code}') }, { payment }])
      for (const locale of Locale.options) {
        const said = { ...words, locale, ...more };
        const settings = textSettings({ ...host, ...app });
        const onSms = codeText(said, settings, 'sms').text;
        expect(originBound(onSms)).toEqual({ host: 'example.com', code: '123456' });
        expect(onSms.endsWith(' FA+9qCX9VSu')).toBe(true);
        expect(codeText(said, settings, 'screen').text).not.toMatch(/@|FA\+9|\n/);
      }
  });

  test('has it last, whatever a template says of another host', () => {
    const sly = { templates: { en: '{code}\n@evil.example #000000' } };
    expect(originBound(sms({ ...sly, ...host }))).toEqual({ host: 'example.com', code: '123456' });
  });
});

/** WICG, Origin-bound one-time codes delivered via SMS, 4.2: the last line, its host, one space, its code, and whatever follows. */
function originBound(message: string): object | null {
  const line = message.split(/\r\n|\r|\n/).at(-1) ?? '';
  return /^@(?<host>\S+) #(?<code>\S+)/.exec(line)?.groups ?? null;
}

function allLocales(text: string): Readonly<Record<Locale, string>> {
  return { uz: text, 'uz-Cyrl': text, ru: text, en: text, kk: text, ky: text, tg: text };
}

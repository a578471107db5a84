import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { linkSms, linkText } from '../../../../domain/pay/link/text.ts';
import { payoutLinkUrl } from '../../../../domain/pay/link/url.ts';
import { Locale } from '../../../../domain/shared/locale.ts';
import { smsSize } from '../../../../domain/shared/sms-segments.ts';

const url = payoutLinkUrl('https://navbat.example', 'A'.repeat(43));
const said = { payer: 'Alif', amount: 123_450_050n, purpose: 'Grant', url, isReminder: false };

test('by the bot it says who pays, how much and what for, in two languages where nobody knows which', () => {
  expect(linkText({ ...said, url: 'https://x/y', isReminder: true, locale: null })).toBe(
    'Eslatma: Alif sizga 1 234 500.50 so‘m to‘laydi (Grant). Kartangizni bog‘lang:\n' +
      'Напоминание: Alif выплачивает вам 1 234 500.50 сум (Grant). Привяжите карту:\nhttps://x/y',
  );
  expect(linkText({ ...said, url: 'https://x/y', locale: 'en' })).toBe(
    'Alif pays you 1 234 500.50 UZS (Grant). Add your card:\nhttps://x/y',
  );
});

test('an SMS is one part in Latin letters and two in Cyrillic, and says neither amount nor purpose', () => {
  for (const locale of Locale.options) {
    const text = linkSms({ ...said, locale });
    const { alphabet, segments } = smsSize(text);
    const isLatin = locale === 'uz' || locale === 'en';
    expect({ locale, alphabet, segments }).toEqual({
      locale,
      alphabet: isLatin ? 'gsm' : 'ucs-2',
      segments: isLatin ? 1 : 2,
    });
    expect(text).toContain(url);
    expect(text).not.toMatch(/1 ?234|Grant/);
  }
  expect(linkSms({ ...said, locale: null })).toBe(linkSms({ ...said, locale: 'uz' }));
});

test('who pays is named where it costs no further part', () => {
  const named = (payer: string, locale: Locale) =>
    linkSms({ ...said, payer, locale }).startsWith(`${payer}: `);
  expect(named('Alif', 'uz')).toBe(true);
  // In the letters of another alphabet, and with a name of 60 letters, it would be two parts.
  expect(named('Алиф', 'uz')).toBe(false);
  expect(named('x'.repeat(60), 'uz')).toBe(false);
  expect(named('Алиф', 'ru')).toBe(true);
  expect(linkSms({ ...said, payer: 'Алиф', locale: 'uz' })).toMatch(/^Sizga to'lov bor\. /);
});

test('docs/operations.md has each text as it is sent, for who has it approved', () => {
  const document = readFileSync(resolve(import.meta.dirname, '../../../../docs/operations.md'), 'utf8');
  const rows = [...document.matchAll(/^\| `([\w-]+)` +\| `…: (.+?) …` +\| (\d) +\|$/gm)].map((row) =>
    row.slice(1),
  );
  const texts = Locale.options.map((locale) => {
    const text = linkSms({ ...said, locale });
    return [locale, /^(?:Alif: )?(.+) https/.exec(text)?.[1], String(smsSize(text).segments)];
  });
  expect(rows).toEqual(texts);
});

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ProjectSettings } from '../../domain/settings.ts';
import { Locale } from '../../domain/shared/locale.ts';
import { textPreviews } from '../../domain/verify/text-preview.ts';

const document = readFileSync(resolve(import.meta.dirname, '../../docs/texts.md'), 'utf8');
const NAME = 'x'.repeat(20);
const standard = ProjectSettings.parse({});

test('docs/texts.md has every standard text, as it is sent, with its length', () => {
  const rows = [...document.matchAll(/^\| `([\w-]+)` +\| (.+?) +\| (\d+ of \d+) +\|$/gm)].map((row) =>
    row.slice(1),
  );
  const longest = textPreviews(NAME, standard, null).map(({ longest: { length, alphabet } }) =>
    alphabet === 'gsm' ? `${length} of 160` : `${length} of 70`,
  );
  const texts = textPreviews('Shop', standard, null);
  expect(rows).toEqual(texts.map(({ locale, text }, index) => [locale, text, longest[index]]));
});

/** The longest host with which all texts of these languages are one SMS. */
function hostMax(locales: readonly Locale[], more: object): number {
  const fits = (length: number) =>
    textPreviews(
      NAME,
      ProjectSettings.parse({ sms_web_origin: `${'x'.repeat(length - 3)}.uz`, ...more }),
      null,
    )
      .filter(({ locale }) => locales.includes(locale))
      .every(({ longest }) => longest.segments === 1);
  return Array.from({ length: 60 }, (_, index) => index + 5).findLast(fits) ?? 0;
}

test('docs/texts.md says truly how long a host may be', () => {
  const app = { sms_app_hash: 'FA+9qCX9VSu' };
  const short = { templates: { ru: '{project}: код {code}' } };
  expect(document).toContain(
    `up to ${hostMax(['uz', 'en'], {})} characters, or of up to ${hostMax(['uz', 'en'], app)} with`,
  );
  expect(document).toContain(
    `up to ${hostMax(['ru'], short)} characters, or of up to ${hostMax(['ru'], { ...short, ...app })} with`,
  );
  expect(hostMax(['tg', 'ru', 'kk', 'ky', 'uz-Cyrl'], {})).toBe(0);
});

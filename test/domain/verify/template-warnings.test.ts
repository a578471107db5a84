import { describe, expect, test } from 'vitest';
import { templateWarnings } from '../../../domain/verify/template-warnings.ts';

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

test('an own template is named as such, and the standard text by the name that makes it long', () => {
  const long = 'x'.repeat(200);
  expect(templateWarnings('Shop', { uz: `{code}${long}` }).map(({ pointer }) => pointer)).toEqual([
    '/settings/templates/uz',
  ]);
  for (const { pointer } of templateWarnings(long, {})) expect(pointer).toBe('/settings/display_name');
});

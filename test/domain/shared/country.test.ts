import { expect, test } from 'vitest';
import { Country } from '../../../domain/shared/country.ts';

test('a country is two capital letters, and nothing that only looks so', () => {
  for (const country of ['UZ', 'KZ']) expect(Country.safeParse(country).success).toBe(true);
  for (const country of ['', 'U', 'uz', 'Uz', 'UZB', 'U1', 'ЎЗ', 'UZ\n', ' UZ', 998])
    expect(Country.safeParse(country).success, JSON.stringify(country)).toBe(false);
});

import { describe, expect, test } from 'vitest';
import {
  AllowedOrigins,
  ApiKeyText,
  keyAccesses,
  keyFront,
  keyModes,
  KeyName,
  keyText,
} from '../../../domain/project/key.ts';

test('a key tells its access and mode by its front, whatever its random part spells', () => {
  for (const access of keyAccesses)
    for (const mode of keyModes)
      for (const random of ['x'.repeat(16), 'a_test_b_live_pub_', 'live_pub_test_nbt_pub_']) {
        const text = keyText(access, mode, random);
        expect(keyFront(text)).toEqual({ access, mode });
        expect(ApiKeyText.parse(text)).toBe(text);
      }
});

test('what is no key of ours is not looked up', () => {
  const random = 'a'.repeat(16);
  for (const text of [
    '',
    'nbt_live_',
    `nbt_live_${'a'.repeat(15)}`,
    `nbt_live_${'a'.repeat(129)}`,
    `nbt_prod_${random}`,
    `NBT_live_${random}`,
    `nbt_live_${random} `,
    `nbt_live_${random}\n`,
    ` nbt_live_${random}`,
  ])
    expect(ApiKeyText.safeParse(text).success, JSON.stringify(text)).toBe(false);
});

test('a name of 60 characters is taken, one of 61, an empty one or one of two lines is refused', () => {
  expect(KeyName.safeParse('я'.repeat(60)).success).toBe(true);
  for (const name of ['я'.repeat(61), '', ' ', 'a\nb']) expect(KeyName.safeParse(name).success).toBe(false);
});

describe('an origin whose pages may use a key', () => {
  const takes = (origin: string) => AllowedOrigins.safeParse([origin]).success;

  test('is written as browsers write it: https, or http on the own machine', () => {
    for (const origin of [
      'https://shop.example',
      'https://shop.example:8443',
      'http://localhost:5173',
      'http://127.0.0.1',
      'http://[::1]:3000',
    ])
      expect(takes(origin), origin).toBe(true);
    for (const origin of [
      '',
      'null',
      '*',
      'https://*.shop.example',
      'http://shop.example',
      'http://localhost.shop.example',
      'http://127.0.0.2',
      'https://shop.example/',
      'https://shop.example/cart',
      'https://shop.example:443',
      'https://Shop.example',
      'https://user@shop.example',
      'ftp://shop.example',
      'shop.example',
    ])
      expect(takes(origin), origin).toBe(false);
  });

  test('is one of 20 at most, and counts once however often it is named', () => {
    const origins = (count: number) => Array.from({ length: count }, (_, n) => `https://shop${n}.example`);
    expect(AllowedOrigins.safeParse(origins(20)).success).toBe(true);
    expect(AllowedOrigins.safeParse(origins(21)).success).toBe(false);
    expect(AllowedOrigins.parse(['https://a.example', 'https://a.example'])).toEqual(['https://a.example']);
  });
});

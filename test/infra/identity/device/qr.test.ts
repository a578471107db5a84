import { expect, test } from 'vitest';
import { qrPng, qrSvg } from '../../../../infra/identity/device/qr.ts';

const link = `navbat://enrol?token=${'t'.repeat(43)}`;

test('a code is one SVG that runs and loads nothing', async () => {
  const svg = await qrSvg(link);
  expect(svg.trim()).toMatch(/^<svg[^>]*>[^]*<\/svg>$/);
  expect(svg).not.toMatch(/<script|<style|<image|href|url\(| on\w+=/i);
});

test('or one PNG that fits into an answer, sharp enough for a camera', async () => {
  const png = await qrPng(link);
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  const width = png.readUInt32BE(16);
  expect(width).toBeGreaterThan(200);
  expect(png.length).toBeLessThan(10_000);
});

test('another text is another picture, and the same text the same', async () => {
  expect(await qrSvg(link)).toBe(await qrSvg(link));
  expect(await qrSvg(`${link}x`)).not.toBe(await qrSvg(link));
});

import jsQR from 'jsqr';

/** Dots a module, as a camera sees them. */
const DOTS = 4;

/** Reads the first QR code in a page: draws its strokes, and looks at the picture as a phone would. */
export function scanSvg(page: string): string {
  const size = Number(/<svg[^>]* viewBox="0 0 (\d+) \1"/.exec(page)?.[1]);
  const strokes = /<path stroke="#000000" d="([^"]+)"/.exec(page)?.[1];
  if (!size || strokes === undefined) throw new Error('there is no QR code here');
  const width = size * DOTS;
  const picture = new Uint8ClampedArray(width * width * 4).fill(255);
  const [at, blacken] = [
    { x: 0, y: 0 },
    (x: number, y: number) => picture.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3),
  ];
  for (const [, command = '', numbers = ''] of strokes.matchAll(/([Mmh])([^Mmh]*)/g)) {
    const [dx = 0, dy = 0] = numbers.trim().split(/[ ,]+/).map(Number);
    if (command === 'M') Object.assign(at, { x: dx, y: dy - 0.5 });
    else if (command === 'm') Object.assign(at, { x: at.x + dx, y: at.y + dy });
    else {
      for (let x = at.x * DOTS; x < (at.x + dx) * DOTS; x++)
        for (let y = at.y * DOTS; y < (at.y + 1) * DOTS; y++) blacken(x, y);
      at.x += dx;
    }
  }
  const read = jsQR.default(picture, width, width);
  if (!read) throw new Error('no phone could read this QR code');
  return read.data;
}

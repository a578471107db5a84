import { toString } from 'qrcode';

/** A QR code (ISO/IEC 18004) as one `<svg>` element: no script, no style, nothing to load. */
export const qrSvg = (text: string): Promise<string> =>
  toString(text, { type: 'svg', errorCorrectionLevel: 'M' });

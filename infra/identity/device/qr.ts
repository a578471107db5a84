import { toBuffer, toString } from 'qrcode';

/** Restores 15 % of the code: a screen has no dirt, but a camera has glare. */
const errorCorrectionLevel = 'M';
/** 400 points for a code of the length of ours: sharp on a page, and small enough for a JSON answer. */
const PNG_POINTS_A_MODULE = 8;

/** A QR code (ISO/IEC 18004) as one `<svg>` element: no script, no style, nothing to load. */
export const qrSvg = (text: string): Promise<string> => toString(text, { type: 'svg', errorCorrectionLevel });

export const qrPng = (text: string): Promise<Buffer> =>
  toBuffer(text, { type: 'png', errorCorrectionLevel, scale: PNG_POINTS_A_MODULE });

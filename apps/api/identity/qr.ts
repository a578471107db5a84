import { z } from 'zod';

/** What stands in the answer is a secret, or leads to one: no cache keeps it (RFC 9111 §5.2.2.5). */
export const NO_STORE = { 'Cache-Control': 'no-store' } as const;

/** Draws QR codes. */
export interface QrCodes {
  svg(text: string): Promise<string>;
  png(text: string): Promise<Buffer>;
}

export const QrBody = z.object({
  svg: z.string().meta({ description: 'One `<svg>` element.' }),
  png: z.base64().meta({ description: 'A PNG file.' }),
});

export async function qrBody(qr: QrCodes, text: string): Promise<z.infer<typeof QrBody>> {
  const [svg, png] = await Promise.all([qr.svg(text), qr.png(text)]);
  return { svg, png: png.toString('base64') };
}

/** Where a code or a message goes: a phone, in E.164, or what is known of a recipient. */
export type Destination = { readonly phone: string } | { readonly recipientId: string };

/**
 * What an address hash is made from: the phone, so that its limits are the number's, else the recipient. A test key's destinations
 * are apart: its sends neither meet nor use up those of the live key.
 */
export function addressText(destination: Destination, mode: 'live' | 'test'): string {
  const text = 'phone' in destination ? destination.phone : `recipient:${destination.recipientId}`;
  return mode === 'test' ? `test:${text}` : text;
}

/** Of a recipient, who is one in both modes: the phone's where it has one. */
export const recipientAddressText = (recipientId: string, phone: string | null): string =>
  addressText(phone === null ? { recipientId } : { phone }, 'live');

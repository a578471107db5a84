import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { type BoundCard, RailToken } from '../../../domain/pay/rail/port.ts';
import { Phone } from '../../../domain/shared/phone.ts';

const LABEL = 'navbat multicard binding v1';

/** What makes the address of one binding's callback unguessable: Multicard does not sign it. */
export const bindingToken = (secret: string, bindingId: string): string =>
  createHmac('sha256', secret).update(LABEL).update('\0').update(bindingId).digest('base64url');

export const Form = z.object({
  // It stands in a path.
  session_id: z.string().regex(/^[\w-]{1,64}$/),
  form_url: z.url({ protocol: /^https?$/ }),
});

/** 0: the card is in use. */
const CARD_IN_USE = 0;

/** What is kept of a card: of its number the last four digits. */
const Shown = z.object({
  status: z.enum(['draft', 'active', 'deleted']),
  card_token: z.string().min(1).max(255).nullish(),
  card_pan: z.string().nullish(),
  ps: z
    .string()
    .regex(/^\w{1,20}$/)
    .nullish(),
  phone: z
    .string()
    .regex(/^\+?998\d{9}$/)
    .nullish()
    .catch(null),
  pinfl: z
    .string()
    .regex(/^\d{14}$/)
    .nullish()
    .catch(null),
  holder_name: z.string().trim().min(1).max(100).nullish().catch(null),
  card_status: z.object({ code: z.int() }).nullish(),
});

/** `gone`: the person gave up, or the card takes nothing. */
export type BindingState = { readonly card: BoundCard | null; readonly isGone: boolean };

export function bindingIn(data: unknown): BindingState | undefined {
  const shown = Shown.safeParse(data).data;
  if (!shown) return undefined;
  if (shown.status === 'draft') return { card: null, isGone: false };
  if (shown.status === 'deleted' || (shown.card_status?.code ?? CARD_IN_USE) !== CARD_IN_USE)
    return { card: null, isGone: true };
  const [last4] = /\d{4}$/.exec(shown.card_pan ?? '') ?? [];
  if (!shown.card_token || last4 === undefined) return undefined;
  return {
    isGone: false,
    card: {
      token: new RailToken(shown.card_token),
      last4,
      system: shown.ps ?? 'card',
      phone: shown.phone ? Phone.parse(`+${shown.phone.replace('+', '')}`) : null,
      pinfl: shown.pinfl ?? null,
      holderName: shown.holder_name ?? null,
    },
  };
}

import { nameScore } from '../list/name-score.ts';
import type { CardRail } from '../rail/port.ts';
import type { PayoutLinks } from './port.ts';

/**
 * `waiting`: the person has not finished the form. `declined`: they gave up, or it is over without a card. `unknown`: the rail did not say, or somebody
 * else holds what is to be bound; ask again. `refused`: the link binds nothing any more, or not this card.
 */
export type BindingEnd = 'bound' | 'waiting' | 'declined' | 'unknown' | 'refused' | 'no-such-binding';

/**
 * Reads from the rail what became of a form, and binds the card. What called us, a page or the rail's callback, is only a reason to look. Safe to
 * run twice, and at once: the same card of the same form is bound once.
 */
export async function finishBinding(
  {
    links,
    rail,
  }: {
    readonly links: Pick<PayoutLinks, 'binding' | 'bind'>;
    readonly rail: Pick<CardRail, 'readBinding'>;
  },
  bindingId: string,
  signal: AbortSignal,
): Promise<BindingEnd> {
  const binding = await links.binding(bindingId);
  if (!binding) return 'no-such-binding';
  if (binding.isEnded) return 'bound';
  const { phone, payeeName, session } = binding;
  const reply = await rail.readBinding(session, signal);
  if (reply.kind === 'refused' && !reply.retryable) return 'declined';
  if (reply.kind !== 'answered') return 'unknown';
  if (reply.value === null) return 'waiting';
  const { holderName, phone: ofCard } = reply.value;
  // The rail compares the two itself, and is not relied on.
  if (ofCard !== null && ofCard !== phone) return 'refused';
  const score = payeeName === null || holderName === null ? null : nameScore(payeeName, holderName);
  const bound = await links.bind(bindingId, reply.value, { phone, nameScore: score });
  if (bound.ok) return 'bound';
  return bound.refusal.kind === 'busy' ? 'unknown' : 'refused';
}

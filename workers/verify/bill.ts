import type { Cost, SendReply } from '../../domain/job/reply.ts';
import type { ClosingAttempt } from '../../domain/job/store.ts';
import { smsSegments } from '../../domain/shared/sms-segments.ts';
import { channelRules } from '../../domain/verify/channel.ts';
import { type RoutedProvider, usdMicros } from '../../domain/verify/sms-routes.ts';
import { channelOf, type Leg } from '../../domain/verify/step.ts';

/** What a message is expected to cost; null where its channel is free. */
export interface Bill {
  /** In 10^-6 USD, set aside until the provider says what it took. */
  readonly reservedMicros: number;
  /** Of an SMS, what its provider asks for one part. */
  readonly price: Cost | null;
  readonly parts: number;
}

/** @param route the providers of the number, with their prices. */
export function billOf(
  leg: Leg,
  text: string,
  route: readonly RoutedProvider[],
  uzsPerUsd: number,
): Bill | null {
  const { paid, reservedMicros } = channelRules[channelOf(leg)];
  if (!paid) return null;
  const routed = route.find(({ provider }) => provider === leg);
  if (!routed) return { reservedMicros, price: null, parts: 1 };
  const parts = smsSegments(text);
  return {
    reservedMicros: usdMicros(times(routed.price, parts), uzsPerUsd),
    price: routed.price,
    parts,
  };
}

const times = ({ micros, currency }: Cost, parts: number): Cost => ({
  micros: micros * BigInt(parts),
  currency,
});

type Proof = Pick<
  ClosingAttempt,
  'providerReference' | 'costMicros' | 'costCurrency' | 'parts' | 'priceMicros' | 'priceCurrency'
>;

/** Reference and cost. A message that may have left keeps its reservation; one that did not gives it back. */
export function proofOf(bill: Bill | null, reply: SendReply, uzsPerUsd: number): Proof {
  const isGone = reply.kind !== 'accepted' && reply.kind !== 'unknown';
  if (isGone) return { providerReference: null, costMicros: null, costCurrency: null };
  const providerReference = reply.kind === 'accepted' ? reply.reference : null;
  const said = reply.kind === 'accepted' ? reply : null;
  if (!bill || (!bill.price && !said?.cost))
    return { providerReference, ...costOf(bill ? BigInt(bill.reservedMicros) : null) };

  const parts = said?.parts ?? bill.parts;
  const price = said?.cost ?? times(bill.price ?? FREE, parts);
  return {
    providerReference,
    ...costOf(BigInt(usdMicros(price, uzsPerUsd))),
    ...(bill.price && { parts, priceMicros: price.micros, priceCurrency: price.currency }),
  };
}

const FREE: Cost = { micros: 0n, currency: 'USD' };
/** Budgets count dollars. */
const costOf = (micros: bigint | null) => ({
  costMicros: micros,
  costCurrency: micros === null ? null : 'USD',
});

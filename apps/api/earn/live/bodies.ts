import type { LivePart, LiveStates } from '../../../../domain/earn/live/port.ts';
import { withdrawalBody } from '../../pay/withdraw.routes.ts';

/** Of one part, what its event says. */
export type LiveBodies = Readonly<Record<LivePart, (text: string) => object>>;

export const liveBodies = (read: LiveStates['read']): LiveBodies => ({
  balance: (text) => {
    const { available, held, receivable } = read.balance(text);
    return {
      available: available.toString(),
      held: held.toString(),
      receivable: receivable.toString(),
      currency: 'UZS',
    };
  },
  session: (text) => ({
    sessions: read.session(text).map((one) => ({
      id: one.id,
      installation_id: one.installationId,
      started_at: one.startedAt,
      reports: one.reports,
      bytes: Number(one.bytes),
      amount: one.amount.toString(),
      review: one.review.toString(),
    })),
  }),
  price: (text) => {
    const price = read.price(text);
    return {
      day: price?.day ?? null,
      tiyin_per_mb: price?.tiyinPerMb ?? null,
      carried: price?.carried ?? false,
    };
  },
  withdrawal: (text) => ({ withdrawals: read.withdrawal(text).map(withdrawalBody) }),
});

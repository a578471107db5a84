import { z } from 'zod';
import type { Answer } from '../../http.ts';
import { type Desk, type Outcome, underFault } from './desk.ts';
import type { Incoming } from './incoming.ts';
import { PaymentStatus } from './lines.ts';
import { answered, fromRailTime, listed, refused } from './models.ts';
import type { Payment, Rail } from './rail.ts';

const Time = z.string().transform(fromRailTime).pipe(z.number());
const Query = z.object({
  offset: z.coerce.number().int().min(0),
  limit: z.coerce.number().int().min(1),
  start_date: Time,
  end_date: Time,
  only_status: PaymentStatus.optional(),
});

/** `GET /payment/store/{store_id}/credit-history`: newest first. */
export const history = (desk: Desk, { query }: Incoming, storeId: string): Promise<Outcome> =>
  underFault(desk, 'history', [], () => {
    const asked = Query.safeParse(Object.fromEntries(query)).data;
    if (!asked || storeId !== desk.account.storeId) return refused('ERROR_FIELDS');
    return pageOf(desk.rail, asked);
  });

function pageOf(rail: Rail, asked: z.infer<typeof Query>): Answer {
  const { payments, settings } = rail;
  const { offset, start_date: from, end_date: to, only_status: only } = asked;
  const limit = Math.min(asked.limit, settings.page_max);
  const page: Payment[] = [];
  let total = 0;
  // A hundred thousand of them are walked for each page: nothing is copied.
  for (let at = payments.length - 1; at >= 0; at -= 1) {
    const payment = payments[at];
    if (!payment || (only !== undefined && payment.status !== only)) continue;
    const addedAt = secondOf(payment.addedAt);
    if (addedAt < from || addedAt > to) continue;
    if (total >= offset && page.length < limit) page.push(payment);
    total += 1;
  }
  const list = page.map((payment) => listed(payment, rail.card(payment.card) ?? unknownCard(payment)));
  return answered({ pagination: { total, offset, limit }, stat: [], list });
}

const unknownCard = ({ card }: Payment) => ({ token: card, pan: '', system: 'uzcard' as const });

/** Its times have no parts of a second. */
const secondOf = (ms: number): number => ms - (ms % 1_000);

/** `GET /payment/application`. */
export const application = (desk: Desk): Promise<Outcome> =>
  underFault(desk, 'wallet', [], () =>
    answered({
      application_id: desk.account.applicationId,
      wallet_sum: desk.rail.wallet,
      wallet_overdraft: 0,
      otp_required: desk.rail.settings.otp_required ? 1 : 0,
      otp_length: 6,
      official_name: 'Multicard of the sandbox',
    }),
  );

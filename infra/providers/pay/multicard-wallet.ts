import { z } from 'zod';
import type { Wallet } from '../../../domain/pay/rail/port.ts';
import { Tiyin } from './multicard-payments.ts';

const Application = z.object({
  // Below 0 where they lend.
  wallet_sum: Tiyin,
  otp_required: z.union([z.boolean(), z.literal([0, 1]).transform(Boolean)]),
});

/** Of `GET /payment/application`. Where it does not say whether passwords are wanted, nothing is paid unattended. */
export function walletIn(data: unknown): Wallet | undefined {
  const shown = Application.safeParse(data).data;
  return shown && { balance: shown.wallet_sum, otpRequired: shown.otp_required };
}

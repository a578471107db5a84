import { z } from 'zod';
import { MICROS_PER_TIYIN } from '../../../domain/earn/price/price.ts';
import { verdicts } from '../../../domain/earn/traffic/counterpart.ts';
import type { MeteredDay } from '../../../domain/earn/traffic/meter.ts';
import { tiyin } from '../../http/pay/fields.ts';
import { bytesField } from './fields.ts';

/** A session on one day of Tashkent, as it is metered. */
export const DayBody = z
  .object({
    day: z.iso.date().meta({ description: 'Of Asia/Tashkent.' }),
    bytes: bytesField('What the phone reported'),
    gateway_bytes: bytesField('What gateways carried').nullable().meta({
      description: 'What gateways carried, in bytes; null where none has reported.',
    }),
    tiyin_per_mb: z.int().meta({ description: 'The price of the day, for 10^6 bytes.', example: 150 }),
    amount: tiyin('What it earns where it is paid.'),
    verdict: z.enum(verdicts).meta({
      description: '`pay`: with the close of the day; `review`: a person decides; `unpaid`.',
    }),
    reason: z.string().nullable().meta({ description: 'Why it is not simply paid; null where it is.' }),
    unpaid: z
      .array(
        z.object({
          reason: z.string().meta({ example: 'counterpart-lower' }),
          bytes: bytesField('Of it'),
        }),
      )
      .meta({ description: 'By reason; together exactly what is not paid of `bytes`.' }),
  })
  .meta({ id: 'TrafficDay' });

export const dayBody = (one: MeteredDay) => ({
  day: one.day,
  bytes: Number(one.bytes),
  gateway_bytes: one.gatewayBytes === null ? null : Number(one.gatewayBytes),
  tiyin_per_mb: one.tiyinPerMb,
  amount: (one.micros / MICROS_PER_TIYIN).toString(),
  verdict: one.verdict,
  reason: one.reason,
  unpaid: one.unpaid.map(({ reason, bytes }) => ({ reason, bytes: Number(bytes) })),
});

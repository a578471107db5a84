import { z } from 'zod';
import type { DayPrice } from '../../../domain/earn/price/price.ts';

export const PriceBody = z.object({
  tiyin_per_mb: z.int().meta({ description: 'For 10^6 bytes.', example: 150 }),
  carried: z.boolean().meta({ description: 'Nobody set one for the day: it is that of the day before.' }),
});

export const priceBody = (one: DayPrice | null) =>
  one && { tiyin_per_mb: one.tiyinPerMb, carried: one.carried };

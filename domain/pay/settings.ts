import { z } from 'zod';

export const paySettings = {
  /** A key that is stolen asks for so much a day and no more; finance approves each payout besides. */
  payouts_daily_uzs: z.int().min(0).max(100_000_000_000).default(10_000_000).meta({
    description:
      'What each of your keys with the scope `payouts` may ask for in a day (Asia/Tashkent), in UZS. What is cancelled counts. At most the ceiling of the same name, which staff raise.',
  }),
};

type PaySettings = z.infer<z.ZodObject<typeof paySettings>>;
declare module '../project/settings.ts' {
  interface ProjectSettings extends PaySettings {}
}

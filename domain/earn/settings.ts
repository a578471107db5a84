import { z } from 'zod';
import { requireCounterpart } from './traffic/counterpart.ts';

export const earnSettings = {
  /** What a phone says is a claim; a gateway that carried the traffic says how much it was. */
  require_counterpart: z.enum(requireCounterpart).default('review').meta({
    description:
      'What becomes of a day of a session that no gateway reported, or of which phone and gateway say different amounts: `pay` the smaller, `review` by a person, or `unpaid`.',
  }),
  /** Headers and retries of the network are counted by one side only. */
  counterpart_tolerance_percent: z.int().min(0).max(50).default(5).meta({
    description:
      'By so many percent of the larger count phone and gateway may differ and still agree. The smaller count is paid.',
  }),
};

type EarnSettings = z.infer<z.ZodObject<typeof earnSettings>>;
declare module '../project/settings.ts' {
  interface ProjectSettings extends EarnSettings {}
}

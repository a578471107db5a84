import { z } from 'zod';

/** Of a block, as `CountedFactor` has it. Secret keys alone are shown them: they count what others asked for. */
export const CountedFactors = z
  .array(
    z.object({
      factor: z.string().meta({ description: '`prefix`, `ip` or `device`.', example: 'ip' }),
      sent: z.number().meta({
        description:
          'Of a prefix codes, of an `ip` and a `device` numbers that were sent codes in the last hours, halved each hour.',
      }),
      verified: z.number().meta({ description: 'How many of them were confirmed.' }),
      risk: z.number().meta({ description: 'What it adds to the risk. All together block from 1 on.' }),
    }),
  )
  .readonly()
  .meta({ description: 'What made up the block, where anti-fraud rules blocked paid messages.' });

import { parseArgs } from 'node:util';
import { z } from 'zod';

/** Five rounds of ten seconds: each bench is through within some ten minutes. */
const ROUNDS_DEFAULT = 5;
const SECONDS_DEFAULT = 10;

const Options = z.object({
  rounds: z.coerce.number().int().min(1).max(50).default(ROUNDS_DEFAULT),
  /** Of each measured stretch; the number of jobs or rows follows from it where a bench counts jobs. */
  seconds: z.coerce.number().int().min(1).max(600).default(SECONDS_DEFAULT),
  /** Rows of the reconciler bench. */
  rows: z.coerce.number().int().min(1_000).max(10_000_000).default(1_000_000),
  /** Of the book of the ledger bench, in growing order. */
  sizes: z
    .string()
    .default('10000,1000000,5000000')
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(1_000).max(100_000_000)).min(1))
    .transform((sizes) => sizes.toSorted((a, b) => a - b)),
  /** Payments of all rounds of the payout bench together; 0 leaves them out. */
  items: z.coerce.number().int().min(0).max(1_000_000).default(20_000),
  /** Of its large batch; 0 leaves it out. */
  batch: z.coerce.number().int().min(0).max(1_000_000).default(100_000),
  /** Of the live bench, over its two apis. */
  clients: z.coerce.number().int().min(1).max(4_000).default(1_000),
  /** After how many milliseconds the payout bench's rail answers. */
  answer: z.coerce.number().int().min(0).max(10_000).default(50),
  /** Absolute; where each process of ours writes its `--cpu-prof`. */
  profile: z.string().optional(),
});
export type Options = z.infer<typeof Options>;

/** `<bench> [--rounds n] [--seconds n] [--rows n] [--sizes n,…] [--items n] [--batch n] [--answer ms] [--clients n] [--profile directory]`. */
export function readOptions(args: readonly string[]): { bench: string; options: Options } {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: Object.fromEntries(Object.keys(Options.shape).map((name) => [name, text])),
  });
  return { bench: positionals[0] ?? '', options: Options.parse(values) };
}

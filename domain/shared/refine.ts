/**
 * For a rule over several fields (`.refine(rule, { ...onceValid, error })`): it runs once every field of its value is what it
 * should be. Without it zod 4 hands a rule what a field was sent as, though its own check has failed: a text where a time was
 * expected.
 */
export const onceValid = { when: ({ issues }: { issues: readonly unknown[] }) => issues.length === 0 };

/** The first moment of the year 10 000, UTC: an offset may carry a time of 9999 into a year of five digits, which Postgres can't read. */
const TIME_MS_MAX = Date.UTC(10_000, 0, 1);

/** Before the first second of Unix time there is nothing of ours, and Postgres knows no year 0. */
export const isOurTime = (at: Date): boolean => at.getTime() >= 0 && at.getTime() < TIME_MS_MAX;
export const notOurTime = { ...onceValid, error: 'expected a time between 1970 and 9999' };

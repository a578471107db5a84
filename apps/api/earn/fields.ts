import { z } from 'zod';

/** 50 MB/s for a day: what one session may carry. */
const BYTES_MAX = 4_400_000_000_000;
/**
 * A phone without a clock says 1970 or 1980: that is kept, and not paid. Years that Postgres can't read, as 0000, would break the commit that
 * the reports of others share.
 */
const [MEASURED_FROM, MEASURED_BEFORE] = [
  Date.parse('1900-01-01T00:00:00Z'),
  Date.parse('2200-01-01T00:00:00Z'),
];
/** Far more than a session may have reports. */
const SEQ_MAX = 1_000_000_000;

const isStorable = (ms: number): boolean => ms >= MEASURED_FROM && ms < MEASURED_BEFORE;

export const bytesField = (what: string) =>
  z
    .int()
    .min(0)
    .max(BYTES_MAX)
    .meta({ description: `${what}, in bytes.`, example: 40_000_000 });

/** A count of bytes in both directions, at a time. */
export const reportFields = (since: string) => ({
  seq: z
    .int()
    .min(0)
    .max(SEQ_MAX)
    .meta({ description: 'From 0, one more with each report. The same report has the same number.' }),
  measured_at: z.iso
    .datetime({ offset: true })
    .refine((text) => isStorable(Date.parse(text)), { error: 'expected a time from 1900 to 2199' })
    .meta({
      description: 'When it was counted, by the clock of whoever counted: from 1900 to 2199.',
      example: '2026-01-15T10:00:00.000Z',
    }),
  bytes_up: bytesField(`Sent ${since}`),
  bytes_down: bytesField(`Received ${since}`),
});

interface Counted {
  readonly seq: number;
  readonly measured_at: string;
  readonly bytes_up: number;
  readonly bytes_down: number;
}

export const countOf = ({ seq, measured_at, bytes_up, bytes_down }: Counted) => ({
  seq,
  measuredAt: new Date(measured_at),
  up: BigInt(bytes_up),
  down: BigInt(bytes_down),
});

/** A thousand reports, each with its members. */
export const reportLimits = { bytes: 262_144, parts: 6_100 };

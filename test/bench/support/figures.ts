/** One result of a bench: what is measured, against what, in the same rounds. */
export interface Figure {
  readonly bench: string;
  readonly metric: string;
  /** Medians over the rounds. */
  readonly value: number;
  /** Null where there is nothing to compare with. */
  readonly baseline: number | null;
  /** Median of the ratios by round, which a slow minute of the machine moves less than the ratio of the medians. */
  readonly ratio: number | null;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** The value below which `share` of them lie; NaN where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Of one round after the other; the baseline's round stands at the same place. */
export function figure(
  bench: string,
  metric: string,
  values: readonly number[],
  baselines: readonly number[] | null = null,
): Figure {
  const ratios = baselines?.map((baseline, round) => (values[round] ?? Number.NaN) / baseline);
  return {
    bench,
    metric,
    value: rounded(median(values)),
    baseline: baselines ? rounded(median(baselines)) : null,
    ratio: ratios ? rounded(median(ratios)) : null,
  };
}

/** A JSON line a result, then the same as a table. */
export function print(figures: readonly Figure[]): void {
  for (const one of figures) process.stdout.write(`${JSON.stringify(one)}\n`);
  const rows = [
    ['metric', 'value', 'baseline', 'ratio'],
    ...figures.map(({ metric, value, baseline, ratio }) => [
      metric,
      show(value),
      show(baseline),
      show(ratio),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
  process.stdout.write(`\n${rows.map((row) => line(row).join('  ')).join('\n')}\n`);
}

const show = (value: number | null) => (value === null ? '-' : String(value));

/** Three digits that count, or all before the point. */
const rounded = (value: number): number =>
  Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));

/**
 * Two-sided p-value of the Mann–Whitney U test (Mann and Whitney 1947): how likely two samples of one distribution would differ
 * at least as much as these. By the normal approximation, corrected for ties, which is good for samples of 20 and more.
 */
export function mannWhitneyP(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, of: 'a' })), ...b.map((value) => ({ value, of: 'b' }))].toSorted(
    (left, right) => left.value - right.value,
  );
  const { rankSum, ties } = ranksOf(all);
  const total = a.length + b.length;
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const mean = (a.length * b.length) / 2;
  const variance = ((a.length * b.length) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (variance === 0) return 1;
  // Half a step towards the mean: U is whole, the normal curve is not.
  const z = Math.max(0, Math.abs(u - mean) - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * (1 - normalCdf(z)));
}

/** Equal values share the mean of their ranks; each group of t of them counts t³ − t towards the correction. */
function ranksOf(sorted: readonly { value: number; of: string }[]): { rankSum: number; ties: number } {
  let [rankSum, ties] = [0, 0];
  for (let first = 0; first < sorted.length;) {
    let after = first;
    while (after < sorted.length && sorted[after]?.value === sorted[first]?.value) after++;
    const rank = (first + 1 + after) / 2;
    rankSum += rank * sorted.slice(first, after).filter(({ of }) => of === 'a').length;
    ties += (after - first) ** 3 - (after - first);
    first = after;
  }
  return { rankSum, ties };
}

/** Abramowitz and Stegun 26.2.17, right to 7.5 × 10⁻⁸, for z ≥ 0. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - density * tail;
}

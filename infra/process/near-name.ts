/** One slip of the keyboard for each so many characters: `REDIS_URI` is near to `REDIS_URL`, `PORT` to nothing. */
const CHARACTERS_PER_SLIP = 5;

/** The one of `known` that somebody who typed `name` can have meant; null where none is near. */
export function nearName(name: string, known: readonly string[]): string | null {
  const slipsMax = Math.floor(name.length / CHARACTERS_PER_SLIP);
  const plain = name.toUpperCase().replaceAll('-', '_');
  const [nearest] = known
    .map((one) => ({ one, slips: slipsBetween(plain, one) }))
    .toSorted((a, b) => a.slips - b.slips);
  return nearest && nearest.slips <= slipsMax ? nearest.one : null;
}

/** Letters that were left out, put in, mistaken or swapped with the next one (optimal string alignment). */
function slipsBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    [before, row] = [row, next];
  }
  return row[other.length] ?? 0;
}

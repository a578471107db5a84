/** Sentences that are kept. A book that was rebuilt differs everywhere, and the first places say enough. */
const KEPT_MAX = 100;

/** `1 block`, `2 blocks` */
export const counted = (count: bigint | number | string, thing: string): string =>
  `${count} ${thing}${String(count) === '1' ? '' : 's'}`;

export interface Differences {
  readonly add: (sentence: string) => void;
  readonly told: () => { readonly differences: readonly string[]; readonly differencesTotal: number };
}

export function differences(): Differences {
  const kept: string[] = [];
  let total = 0;
  return {
    add: (sentence) => {
      total += 1;
      if (kept.length < KEPT_MAX) kept.push(sentence);
    },
    told: () => ({ differences: kept, differencesTotal: total }),
  };
}

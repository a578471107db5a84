/** Values of one column that are sealed under another key than the current one. */
export interface ForeignValues {
  readonly place: string;
  /** The key that they need. */
  readonly kid: string;
  readonly values: number;
}

export interface RewrapPage {
  readonly rewrapped: number;
  /** Where the walk goes on; null at its end. */
  readonly next: string | null;
}

/** Sealed values, wherever they stand. Each call is bounded, and may be repeated or given up at any moment. */
export interface Rewrapping {
  /** The key under which everything is to be sealed. */
  readonly current: string;
  readonly places: readonly string[];
  /** Seals what it can anew, after the key `after`; what is written meanwhile stays as it was written. */
  page(place: string, after: string | null): Promise<RewrapPage>;
  left(): Promise<readonly ForeignValues[]>;
}

export interface RewrapReport {
  readonly rewrapped: ReadonlyMap<string, number>;
  /** What still needs another key: it can't be opened, or was sealed meanwhile by a process that seals with another. */
  readonly left: readonly ForeignValues[];
}

/** What a first walk met locked or changing is free by the next; what is left after three, somebody keeps writing, or nobody can open. */
const WALKS_MAX = 3;

/** Walks over everything until nothing needs another key, or nothing changes that. A second one at once does no harm. */
export async function rewrapAll(rewrapping: Rewrapping): Promise<RewrapReport> {
  const rewrapped = new Map<string, number>(rewrapping.places.map((place) => [place, 0]));
  let left: readonly ForeignValues[] = [];
  for (let walk = 1; walk <= WALKS_MAX; walk++) {
    for (const place of rewrapping.places)
      rewrapped.set(place, (rewrapped.get(place) ?? 0) + (await walkOver(rewrapping, place)));
    left = await rewrapping.left();
    if (left.length === 0) break;
  }
  return { rewrapped, left };
}

async function walkOver(rewrapping: Rewrapping, place: string): Promise<number> {
  let count = 0;
  let after: string | null = null;
  do {
    const page: RewrapPage = await rewrapping.page(place, after);
    count += page.rewrapped;
    after = page.next;
  } while (after !== null);
  return count;
}

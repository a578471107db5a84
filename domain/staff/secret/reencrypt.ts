/** Values of one column that are encrypted under another key than the current one. */
export interface ForeignValues {
  readonly place: string;
  /** The key that they need; null where a damaged value names none. */
  readonly kid: string | null;
  readonly values: number;
}

export interface ReencryptPage {
  readonly reencrypted: number;
  /** Values that name the current key and that it does not open. */
  readonly unreadable: number;
  /** Where the walk goes on; null at its end. */
  readonly next: string | null;
}

/** Encrypted values, wherever they stand. Each call is bounded, and may be repeated or given up at any moment. */
export interface Reencrypting {
  /** The key under which everything is to be encrypted. */
  readonly current: string;
  readonly places: readonly string[];
  /** Encrypts what it can anew, after the key `after`; what is written meanwhile stays as it was written. */
  page(place: string, after: string | null): Promise<ReencryptPage>;
  left(): Promise<readonly ForeignValues[]>;
}

export interface ReencryptReport {
  readonly reencrypted: ReadonlyMap<string, number>;
  /** What still needs another key: it can't be opened, or was encrypted meanwhile by a process that encrypts with another. */
  readonly left: readonly ForeignValues[];
  /** By place, what names the current key and can't be opened with it: the key has other bytes, or the value is damaged. */
  readonly unreadable: ReadonlyMap<string, number>;
}

/** What a first walk met locked or changing is free by the next; what is left after three, somebody keeps writing, or nobody can open. */
const WALKS_MAX = 3;

/** Walks over everything until nothing needs another key, or nothing changes that. A second one at once does no harm. */
export async function reencryptAll(reencrypting: Reencrypting): Promise<ReencryptReport> {
  const reencrypted = new Map<string, number>(reencrypting.places.map((place) => [place, 0]));
  const unreadable = new Map<string, number>();
  let left: readonly ForeignValues[] = [];
  for (let walk = 1; walk <= WALKS_MAX; walk++) {
    for (const place of reencrypting.places) {
      const walked = await walkOver(reencrypting, place);
      reencrypted.set(place, (reencrypted.get(place) ?? 0) + walked.reencrypted);
      // Of the last walk: one that an earlier one counted may be gone.
      if (walked.unreadable > 0) unreadable.set(place, walked.unreadable);
      else unreadable.delete(place);
    }
    left = await reencrypting.left();
    if (left.length === 0) break;
  }
  return { reencrypted, left, unreadable };
}

async function walkOver(reencrypting: Reencrypting, place: string) {
  const sum = { reencrypted: 0, unreadable: 0 };
  let after: string | null = null;
  do {
    const page: ReencryptPage = await reencrypting.page(place, after);
    sum.reencrypted += page.reencrypted;
    sum.unreadable += page.unreadable;
    after = page.next;
  } while (after !== null);
  return sum;
}

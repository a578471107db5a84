/** By which a list may be paid. */
export const listRails = ['multicard', 'bank-file'] as const;
export type ListRail = (typeof listRails)[number];

export const FILE_BYTES_MAX = 20_000_000;
/** A list has six columns that are read; people add a few for themselves. */
export const COLUMNS_MAX = 50;
/** What a file may have, as read; what is imported at a time has a limit of its own. */
export const LIST_LINES_MAX = 100_000;
/**
 * What is imported in one commit. By card 10 000: while their holds are posted nobody else posts, some 3 s. By the bank 1 000: each line
 * takes a lock of its own, of which Postgres has some thousands.
 */
export const linesMax: Readonly<Record<ListRail, number>> = { multicard: 10_000, 'bank-file': 1_000 };
export const NAME_LENGTH_MAX = 100;
/** What a payout keeps of it. */
export const PURPOSE_LENGTH_MAX = 200;

const UZS = 100n;
/** In tiyin. Multicard asks seven facts of a person above 10 million UZS, which we don't have; a batch is at most 1 000 million. */
export const amountMax: Readonly<Record<ListRail, bigint>> = {
  multicard: 10_000_000n * UZS,
  'bank-file': 1_000_000_000n * UZS,
};

/** Tiyin as people read them: `1234.50`. */
export const uzsOfTiyin = (tiyin: bigint): string => `${tiyin / UZS}.${String(tiyin % UZS).padStart(2, '0')}`;

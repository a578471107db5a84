/** Beside the reconciler: closes days whose reports had their time. */
export interface DayRounds {
  /**
   * Days up to this one that are not closed for everybody, the oldest first: some of them.
   *
   * @param after the last one of those before.
   */
  readonly open: (upTo: string, after?: string) => Promise<readonly string[]>;
  /**
   * Closes the day for the next people after this one. Answers the last of them, where more may follow, and how many it closed it for.
   */
  readonly close: (
    day: string,
    after: string | null,
  ) => Promise<{ readonly people: number; readonly next: string | null }>;
}

/** Times jobs from the end of the `warmup`-th to the end of the `total`-th, so that neither a start nor a compiler is measured. */
export function stopwatch(
  warmup: number,
  total: number,
): { done(): void; readonly finished: Promise<{ jobs: number; seconds: number }> } {
  const finished = Promise.withResolvers<{ jobs: number; seconds: number }>();
  let count = 0;
  let startedMs = 0;
  return {
    done() {
      count++;
      if (count === warmup) startedMs = performance.now();
      if (count === total)
        finished.resolve({ jobs: total - warmup, seconds: (performance.now() - startedMs) / 1_000 });
    },
    finished: finished.promise,
  };
}

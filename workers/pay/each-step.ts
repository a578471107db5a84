/**
 * Takes each of these steps of a tick, whatever became of those before it: what goes wrong with one keeps nobody else waiting.
 *
 * @throws what the first that failed has thrown, once all were taken: the tick is told of as one that failed.
 */
export async function eachStep(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps)
    await step().catch((error: unknown) => {
      failures.push(error);
    });
  if (failures.length > 0) throw failures[0];
}

import { expect, test } from 'vitest';
import { type Leave, places } from '../../../workers/pay/places.ts';

/** How many of so many get in now. */
async function entered(enter: () => Promise<Leave>, count: number): Promise<Leave[]> {
  const leaves: Leave[] = [];
  for (let n = 0; n < count; n++) void enter().then((leave) => leaves.push(leave));
  await new Promise((resolve) => setImmediate(resolve));
  return leaves;
}

test('so many calls are at the rail at once, and a confirmation goes before drafts that wait', async () => {
  const rail = places(2);
  const inside = await entered(() => rail.enter(false), 2);
  const order: string[] = [];
  const drafts = [1, 2].map(() => rail.enter(false).then((leave) => (order.push('draft'), leave())));
  const confirm = rail.enter(true).then((leave) => (order.push('confirm'), leave()));
  expect(inside).toHaveLength(2);
  inside[0]?.();
  // Given back once, however often it is said.
  inside[0]?.();
  await Promise.all([...drafts, confirm]);
  expect(order).toEqual(['confirm', 'draft', 'draft']);
  expect(await entered(() => rail.enter(false), 3)).toHaveLength(1);
});

test.each([
  [50, 8],
  [150, 8],
  [300, 6],
  [599, 4],
  [601, 2],
  [10_000, 2],
])(
  'behind a rail that answers in %i ms, %i calls of two places are committed at once',
  async (latencyMs, ahead) => {
    const clock = { ms: 0 };
    const rail = places(2, () => clock.ms);
    const [leave] = await entered(() => rail.enter(false), 1);
    clock.ms += latencyMs;
    leave?.();
    expect(await entered(() => rail.mayCommit(), 20)).toHaveLength(ahead);
  },
);

import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99894${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(() => world.close());

const wrong = (code: string) => String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');
const checkId = (id: string, code: string, purpose: string | null = null) =>
  world.checks.check({ projectId: caller.projectId, mode: 'live', of: { id, purpose, by: 'service' }, code });

test('a right check among five at once is approved, in whatever order they end', async () => {
  for (let round = 0; round < 15; round++) {
    const { id, code } = await sendCode(world, orderFor(caller, freshPhone()));
    const codes = [wrong(code), wrong(code), code, wrong(code), wrong(code)];
    const results = await Promise.all(codes.map((one) => checkId(id, one)));
    // A wrong one that comes after the approval is told that the code was used.
    expect(results[2]).toMatchObject({ kind: 'approved' });
    expect(results.filter(({ kind: result }) => result === 'approved')).toHaveLength(1);
  }
});

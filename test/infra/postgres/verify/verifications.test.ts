import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, orderFor, sendCode, type World } from './world.ts';
import { countFinishedBy } from '../../../support/finished-jobs.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99897${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(() => world.close());

const send = (phone = freshPhone()) => sendCode(world, orderFor(caller, phone));

test('a job whose verification is cancelled, or that a newer send replaces, is counted', async () => {
  const { id } = await send();
  const cancel = () => world.verifications.cancel(caller.projectId, 'live', id);
  expect(await countFinishedBy(cancel)).toEqual({ 'otp-send cancelled': 1 });
  expect(await countFinishedBy(cancel)).toEqual({});
  const phone = freshPhone();
  await send(phone);
  const again = () => world.intake.accept(orderFor(caller, phone, { gapsSeconds: [] }));
  expect(await countFinishedBy(again)).toEqual({ 'otp-send cancelled': 1 });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openBroadcasts } from './open-broadcasts.ts';

const { world, freshChats, heldOf } = await openBroadcasts();
const lastJob = 'select from job where subject_id = $1 order by id desc limit 1 for update';

test('a pause that commits while the scheduler picks is not overrun: what it held is not scheduled', async () => {
  const caller = await world.makeCaller();
  const { id } = await world.sendToChats(caller, freshChats(20));
  let paused: Promise<unknown> = Promise.resolve();
  let scheduled: Promise<readonly unknown[]> = Promise.resolve([]);
  // The pause has changed nineteen jobs and waits for the last one; the scheduler has read them as they were.
  await world.whileLocked(lastJob, [id], async () => {
    paused = world.command(caller, id, 'pause');
    await world.untilBlocked(1);
    scheduled = world.schedulerRound('telegram-message', 20);
    await Promise.race([scheduled, world.untilBlocked(2)]);
  });
  expect(await paused).toBe('done');
  expect(await scheduled).toEqual([]);
  expect(await heldOf(id)).toEqual({ scheduled: 0, waiting: 20 });

  await world.command(caller, id, 'resume');
  expect(await world.schedulerRound('telegram-message', 20)).toHaveLength(20);
});

test('a resume that was asked for during the pause frees what the pause held', async () => {
  const caller = await world.makeCaller();
  const { id } = await world.sendToChats(caller, freshChats(20));
  let commands: Promise<unknown>[] = [];
  await world.whileLocked(lastJob, [id], async () => {
    commands = [world.command(caller, id, 'pause')];
    await world.untilBlocked(1);
    commands.push(world.command(caller, id, 'resume'));
    await world.untilBlocked(2);
  });
  expect(await Promise.all(commands)).toEqual(['done', 'done']);
  expect(await heldOf(id)).toEqual({ scheduled: 0, waiting: 0 });
  expect(await world.schedulerRound('telegram-message', 20)).toHaveLength(20);
});

test('pauses, resumes and two schedulers at once lose nothing, and end in no deadlock', async () => {
  const caller = await world.makeCaller();
  const { id } = await world.sendToChats(caller, freshChats(400));
  let over = false;
  const told: string[] = [];
  const schedule = async () => {
    while (!over) {
      told.push(...(await world.schedulerRound('telegram-message', 3)).map(({ jobId }) => jobId));
      await sleep(1);
    }
  };
  const schedulers = [schedule(), schedule()];
  for (let n = 0; n < 60; n++)
    await Promise.all([world.command(caller, id, 'pause'), world.command(caller, id, 'resume')]);
  await world.command(caller, id, 'resume');
  const waiting = () =>
    world.pool.query('select from job where subject_id = $1 and scheduled_at is null', [id]);
  while ((await waiting()).rowCount) await sleep(20);
  over = true;
  await Promise.all(schedulers);
  expect(new Set(told).size).toBe(400);
  expect(told).toHaveLength(400);
  expect(await heldOf(id)).toEqual({ scheduled: 0, waiting: 0 });
});

import { expect, test } from 'vitest';
import { approvalSignatureHolds } from '../../../../infra/identity/device/approval-signature.ts';
import { challenges } from '../../../../infra/postgres/verify/challenges.ts';
import { notices } from '../../../../infra/postgres/identity/approval/notices.ts';
import { now, openOwnApp } from './open-own-app.ts';
import { deadlocksOf } from './world.ts';

const { world, ask, makePerson, newPhone } = await openOwnApp();

const store = () =>
  challenges({
    pool: world.pool,
    hash: world.hash,
    numberOf: world.numberOf,
    signatureHolds: approvalSignatureHolds,
    deliveries: world.deliveries,
    wake: () => undefined,
  });

test('an answer and an announcement to the same person wait for each other in a line, and never in a circle', async () => {
  const phone = newPhone();
  const { personId, deviceId, approve } = await makePerson(phone);
  const { number, id } = await ask(phone);
  const asked = await store().fetch(personId, id, now());
  if (!asked) throw new Error('no such challenge');
  const before = await deadlocksOf(world);
  let answering: Promise<unknown> = Promise.resolve();
  await notices(world.pool).takeDue(50, now(), async (due) => {
    // The announcer holds the person now, and is about to write on the challenge.
    answering = store().answer({ personId, deviceId }, id, approve(asked, number), now());
    await waitUntilHeldUp();
    return due.map((notice) => ({ id: notice.id, pushed: 'sent' }));
  });
  expect(await answering).toEqual({ outcome: 'approved', repeated: false });
  expect(await deadlocksOf(world)).toBe(before);
});

test('whoever lost the phone meanwhile is asked nothing, and answers nothing, on a device that still signs', async () => {
  const phone = newPhone();
  const { personId, deviceId, approve } = await makePerson(phone);
  const { number, id } = await ask(phone);
  const asked = await store().fetch(personId, id, now());
  if (!asked) throw new Error('no such challenge');
  const { personId: nextHolder } = await makePerson(newPhone());
  await world.pool.query('update person_phone set person_id = $1 where phone = $2', [nextHolder, phone]);
  expect(await store().fetch(personId, id, now())).toBeNull();
  expect((await store().list(personId, { limit: 10, after: null }, now())).rows).toEqual([]);
  expect(await store().answer({ personId, deviceId }, id, approve(asked, number), now())).toEqual({
    outcome: 'unknown',
  });
});

/** Until a statement waits for a lock. */
async function waitUntilHeldUp(): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    const { rows } = await world.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nothing waited for a lock');
}

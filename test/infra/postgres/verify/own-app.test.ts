import { expect, test } from 'vitest';
import { openOwnApp } from './open-own-app.ts';

const { world, ask, makePerson, newPhone, openFor } = await openOwnApp();

test('an attempt that is made again finds the challenge of its send, and rings nobody twice', async () => {
  const phone = newPhone();
  const { personId } = await makePerson(phone);
  const { jobId, id } = await ask(phone);
  expect(await openFor(jobId)).toEqual({ kind: 'accepted', reference: id, cost: null });
  const { rows } = await world.pool.query('select subject_id from person_notice where person_id = $1', [
    personId,
  ]);
  expect(rows).toEqual([{ subject_id: id }]);
});

test('the same row and the same answer, whether somebody is there or not', async () => {
  const [theirs, nobodys] = [newPhone(), newPhone()];
  await makePerson(theirs);
  const asked = [await ask(theirs), await ask(nobodys)];
  const replies = await Promise.all(asked.map(({ jobId }) => openFor(jobId)));
  expect(replies).toEqual(asked.map(({ id }) => ({ kind: 'accepted', reference: id, cost: null })));
});

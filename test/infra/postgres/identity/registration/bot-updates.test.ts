import { expect, test } from 'vitest';
import { botUpdates } from '../../../../../infra/postgres/identity/registration/bot-updates.ts';
import { all, later, now, openCrowd, PEOPLE } from './open-crowd.ts';

const pool = await openCrowd();

test('of twenty who claim one update at one moment one has it, until it died over it', async () => {
  const updates = botUpdates(pool, 7);
  const claims = await Promise.all(all.map(() => updates.claim(1, null, now)));
  expect(claims.filter((claim) => claim === 'claimed')).toHaveLength(1);
  expect(claims.filter((claim) => claim === 'busy')).toHaveLength(PEOPLE - 1);
  expect(await updates.claim(1, null, later(30))).toBe('busy');
  const late = await Promise.all(all.map(() => updates.claim(1, null, later(31))));
  expect(late.filter((claim) => claim === 'claimed')).toHaveLength(1);
  await updates.finish(1, later(32));
  expect(await updates.claim(1, null, later(3_600))).toBe('done');
  expect(await botUpdates(pool, 8).claim(1, null, now)).toBe('claimed');
});

test('of twenty updates of one chat one is worked on at a time, by whichever process; those of another chat are not waited for', async () => {
  const [one, other] = [botUpdates(pool, 9), botUpdates(pool, 9)];
  const claims = await Promise.all(
    all.map((_each, n) => (n % 2 === 0 ? one : other).claim(100 + n, 55, now)),
  );
  expect(claims.filter((claim) => claim === 'claimed')).toHaveLength(1);
  expect(claims.filter((claim) => claim === 'busy')).toHaveLength(PEOPLE - 1);
  expect(await botUpdates(pool, 9).claim(200, 56, now)).toBe('claimed');
  const first = 100 + claims.indexOf('claimed');
  await botUpdates(pool, 9).finish(first, now);
  expect(await botUpdates(pool, 9).claim(150, 55, now)).toBe('claimed');
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { routingWith } from './sms-routing.ts';
import type { OtpIntake } from '../../../../domain/verify/intake.ts';
import { otpIntake } from '../../../../infra/postgres/verify/intake.ts';
import { phoneAt } from '../../../chaos/support/destinations.ts';
import { openWorld, orderFor, type World } from './world.ts';

let world: World;
/** As another api process has it. */
let otherIntake: OtpIntake;
beforeAll(async () => {
  world = await openWorld();
  const { pool, hash } = world;
  const outbox = { publish: () => undefined, takePublished: () => [] };
  otherIntake = otpIntake({
    pool,
    hash,
    codeKid: 'k1',
    numberOf: () => null,
    providers: new Set(['sms']),
    sms: routingWith('twilio'),
    now: () => new Date(),
    outbox,
  });
});
afterAll(() => world.close());

const ROUNDS = 30;

test('one key at two processes at the same moment, for two people: one job, and the other is told that the key was used', async () => {
  const caller = await world.makeProject();
  for (let round = 0; round < ROUNDS; round++) {
    const [one, other] = [0, 1].map((which) => ({
      ...orderFor(caller, phoneAt(2 * round + which)),
      idempotency: { key: `race-${round}`, bodyHash: `${which}${which}`.repeat(32) },
    }));
    if (!one || !other) throw new Error('two orders');
    const answers = await Promise.all([world.intake.accept(one), otherIntake.accept(other)]);
    expect(new Set(answers.map(({ kind: answer }) => answer))).toEqual(new Set(['accepted', 'key-reused']));
  }
  const { rowCount } = await world.pool.query('select from job where project_id = $1', [caller.projectId]);
  expect(rowCount).toBe(ROUNDS);
});

test('one key at two processes at the same moment, for one person: one job, one answer', async () => {
  const caller = await world.makeProject();
  for (let round = 0; round < ROUNDS; round++) {
    const order = orderFor(caller, phoneAt(1_000 + round), {}, `twin-${round}`);
    const answers = await Promise.all([world.intake.accept(order), otherIntake.accept(order)]);
    const jobs = answers.map((answer) => (answer.kind === 'accepted' ? answer.jobId : answer.kind));
    expect(new Set(jobs).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed)).toHaveLength(1);
  }
});

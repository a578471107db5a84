import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobsFinished } from '../../../../infra/process/metrics.ts';
import { broadcastIntake } from '../../../../infra/postgres/message/broadcast/intake.ts';
import { broadcasts } from '../../../../infra/postgres/message/broadcast/broadcasts.ts';
import { opsCommands } from '../../../../infra/postgres/staff/ops-commands.ts';
import { openWorld, orderFor, sendCode, type World } from '../verify/world.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99897${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(() => world.close());

/** What `navbat_jobs_finished_total` gained meanwhile. */
async function counted(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const read = async () =>
    new Map(
      (await jobsFinished.get()).values.map(({ labels, value }) => [`${labels.kind} ${labels.state}`, value]),
    );
  const before = await read();
  await work();
  const gained = [...(await read())].map(([key, value]) => [key, value - (before.get(key) ?? 0)] as const);
  return Object.fromEntries(gained.filter(([, value]) => value > 0));
}
const send = (phone = freshPhone()) => sendCode(world, orderFor(caller, phone));
const check = (id: string, code: string) =>
  world.checks.check({
    projectId: caller.projectId,
    mode: 'live',
    of: { id, purpose: null, by: 'service' },
    code,
  });
const wrong = (code: string) => (code === '111111' ? '222222' : '111111');

test('a job that an approval ends is counted once', async () => {
  const { id, code } = await send();
  expect(await counted(() => check(id, code))).toEqual({ 'otp-send completed': 1 });
  expect(await counted(() => check(id, code))).toEqual({});
});

test('a job is counted when its last check is used up, and not before', async () => {
  const { id, code } = await send();
  for (let n = 1; n <= 4; n++) expect(await counted(() => check(id, wrong(code)))).toEqual({});
  expect(await counted(() => check(id, wrong(code)))).toEqual({ 'otp-send cancelled': 1 });
});

test('a job whose verification is cancelled, or that a newer send replaces, is counted', async () => {
  const { id } = await send();
  const cancel = () => world.verifications.cancel(caller.projectId, 'live', id);
  expect(await counted(cancel)).toEqual({ 'otp-send cancelled': 1 });
  expect(await counted(cancel)).toEqual({});
  const phone = freshPhone();
  await send(phone);
  const again = () => world.intake.accept(orderFor(caller, phone, { gapsSeconds: [] }));
  expect(await counted(again)).toEqual({ 'otp-send cancelled': 1 });
});

test('a job that the reconciler ends is counted as what it became', async () => {
  const { jobId } = await send();
  await world.pool.query(`update job set deadline_at = now() - interval '1 hour' where id = $1`, [jobId]);
  expect(await counted(() => world.reconciler.expire(new Date()))).toEqual({ 'otp-send expired': 1 });
});

test('a job that staff cancel is counted', async () => {
  const { jobId } = await send();
  const by = { id: randomUUID(), email: 'staff@navbat.example', role: 'operator' } as const;
  await world.pool.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, $3, 'none', now())`,
    [by.id, by.email, by.role],
  );
  const quiet = async () => undefined;
  const desk = { reissue: quiet, promote: quiet, remove: quiet, pause: quiet, resume: quiet };
  const commands = opsCommands(world.pool, { jobs, settles }, desk, () => undefined);
  const cancel = () => commands.job('cancel', jobId, by, new Date());
  expect(await counted(cancel)).toEqual({ 'otp-send cancelled': 1 });
  expect(await counted(cancel)).toEqual({});
});

test('messages that a cancellation stops, and those of test keys, are counted', async () => {
  const { pool, hash, rowEncryption: encryption } = world;
  const intake = broadcastIntake({ pool, hash, encryption, now: () => new Date() });
  const order = (mode: 'live' | 'test') => ({
    caller: { ...caller, mode },
    kind: 'telegram-message' as const,
    priority: 'bulk' as const,
    content: { text: 'salom', format: 'html' as const, silent: false },
    targets: ['1', '2'].map((chatId) => ({ by: 'chat' as const, chatId })),
    sendAt: new Date(),
    expiresAt: new Date(Date.now() + 60_000),
    dedupeKey: null,
    idempotency: null,
    requestId: 'test',
  });
  expect(await counted(() => intake.accept(order('test')))).toEqual({ 'telegram-message completed': 2 });
  const sent = await intake.accept(order('live'));
  if (sent.kind !== 'accepted') throw new Error(sent.kind);
  const cancel = () => broadcasts(pool).command({ ...caller, mode: 'live' }, sent.id, 'cancel', new Date());
  expect(await counted(cancel)).toEqual({ 'telegram-message cancelled': 2 });
  expect(await counted(cancel)).toEqual({});
});

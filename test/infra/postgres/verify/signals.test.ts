import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PaidOpening } from '../../../../domain/verify/otp-job.ts';
import { DEVICE_SAMPLE_MIN, IP_SAMPLE_MIN, PREFIX_SAMPLE_MIN } from '../../../../domain/verify/fraud.ts';
import type { SendCommand } from '../../../../domain/verify/send-command.ts';
import type { SendReply } from '../../../../domain/job/reply.ts';
import { explanations } from '../../../../infra/postgres/verify/explanations.ts';
import { paidAttempts } from '../../../../infra/postgres/verify/paid-attempts.ts';
import { verifyOps } from '../../../../infra/postgres/verify/ops-view.ts';
import { deadlocksOf, openWorld, orderFor, sendCode, type World } from './world.ts';

/** What a service tells of its client, from the intake to the worker's booking and the check. */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const newProject = () => world.makeProject({ sends_per_hour: 100, sms_daily_budget_micros: 1e12 });
type Project = Awaited<ReturnType<typeof newProject>>;

let nextPrefix = 100;
/** In a prefix of its own. */
const freshPhone = () => `+99893${nextPrefix++}0000`;
let nextHost = 1;
const freshIp = () => `84.54.${nextHost >> 8}.${nextHost++ & 255}`;

const accepted: SendReply = { kind: 'accepted', reference: 'SM1', cost: null } as SendReply;
const refusedByProvider: SendReply = { kind: 'refused', reason: 'filtered' } as SendReply;

/** A send and the worker's wake-up for it. */
/** As the worker opens their next attempts. */
async function openingsOf(project: Project, jobIds: readonly string[]): Promise<PaidOpening[]> {
  const { rows } = await world.pool.query(
    `select j.id job, j.attempts, j.address_hash, v.phone_prefix prefix, v.scored_ip ip, v.scored_device device
     from job j join verification v on v.id = j.subject_id where j.id = any($1)`,
    [jobIds],
  );
  return rows.map(({ job, attempts, address_hash, ...scored }) => ({
    jobId: job,
    n: attempts + 1,
    channel: 'sms',
    provider: 'sms',
    projectId: project.projectId,
    addressHash: address_hash,
    scored,
    isTrusted: false,
    isLater: false,
    askedBy: 'service',
    budget: { budgetMicros: 1e12, strangerBudgetMicros: 0 },
    reservedMicros: 1,
  }));
}

async function sent(
  project: Project,
  phone: string,
  client: SendCommand['client'],
  reply: SendReply = accepted,
) {
  const order = orderFor(project, phone, { client, gapsSeconds: [] });
  const made = await sendCode(world, order);
  const woken = await world.wake({ sms: async () => reply })(made.jobId);
  return { ...made, woken };
}
const askFor = (project: Project, phone: string, client: SendCommand['client']) =>
  world.intake.accept(orderFor(project, phone, { client, gapsSeconds: [] }));

const verify = (project: Project, { id, code }: { id: string; code: string }) =>
  world.checks.check({
    projectId: project.projectId,
    mode: 'live',
    of: { id, purpose: null, by: 'service' },
    code,
  });

/** Of a project, by the factor of each name. */
async function scoresOf(project: Project) {
  const { rows } = await world.pool.query<{ factor: string; sent: number; verified: number }>(
    `select case when prefix like '+%' then 'prefix' else split_part(prefix, ' ', 1) end factor, sum(sent) sent, sum(verified) verified
     from prefix_score where project_id = $1 group by 1`,
    [project.projectId],
  );
  return Object.fromEntries(
    rows.map(({ factor, sent, verified }) => [factor, [Math.round(sent), Math.round(verified)]]),
  );
}

/** As if so many numbers had been sent codes from where this verification was asked for, and a little more: counts decay meanwhile. */
const pump = (id: string, sent: Partial<Record<'prefix' | 'ip' | 'device', number>>) =>
  world.pool.query(
    `update prefix_score s set sent = case s.prefix when v.scored_ip then $2::float8 when v.scored_device then $3::float8 else $4::float8 end, verified = 0
     from verification v where v.id = $1 and s.project_id = v.project_id and s.prefix in (v.phone_prefix, v.scored_ip, v.scored_device)`,
    [id, (sent.ip ?? 0) + 0.5, (sent.device ?? 0) + 0.5, (sent.prefix ?? 0) + 0.5],
  );

describe('what is counted', () => {
  test('an address and a device count each number once an hour, a prefix each message', async () => {
    const project = await newProject();
    const client = { ip: freshIp(), device_id: 'phone-1' };
    const phone = freshPhone();
    await sent(project, phone, client);
    await sent(project, phone, client);
    await sent(project, freshPhone(), client);
    expect(await scoresOf(project)).toEqual({ prefix: [3, 0], ip: [2, 0], device: [2, 0] });
  });

  test('a code that is confirmed counts for all three, and a number once an hour', async () => {
    const project = await newProject();
    const client = { ip: freshIp(), device_id: 'phone-1' };
    const phone = freshPhone();
    expect(await verify(project, await sent(project, phone, client))).toMatchObject({ kind: 'approved' });
    expect(await verify(project, await sent(project, phone, client))).toMatchObject({ kind: 'approved' });
    expect(await scoresOf(project)).toEqual({ prefix: [2, 2], ip: [1, 1], device: [1, 1] });
  });

  test('a message that the provider refused counts for none of them, and one that came before it stays counted', async () => {
    const project = await newProject();
    const client = { ip: freshIp(), device_id: 'phone-1' };
    const phone = freshPhone();
    await sent(project, phone, client, refusedByProvider);
    expect(await scoresOf(project)).toEqual({ prefix: [0, 0], ip: [0, 0], device: [0, 0] });
    await sent(project, phone, client);
    await sent(project, phone, client, refusedByProvider);
    expect(await scoresOf(project)).toEqual({ prefix: [1, 0], ip: [1, 0], device: [1, 0] });
  });

  test('nothing is kept but hashes, and none of a client that was not told of, of strangers, or of test keys', async () => {
    const project = await newProject();
    const client = { ip: freshIp(), device_id: 'phone-of-somebody' };
    await sent(project, freshPhone(), client);
    await sent(project, freshPhone(), null);
    const stranger = {
      ...orderFor(project, freshPhone(), { client }),
      asker: { kind: 'stranger', from: 'x' },
    };
    await world.intake.accept(stranger as never);
    await world.intake.accept(orderFor(project, freshPhone(), { client, mode: 'test' }));
    const { rows } = await world.pool.query(
      `select scored_ip, scored_device from verification where project_id = $1 and scored_ip is not null`,
      [project.projectId],
    );
    expect(rows).toEqual([
      {
        scored_ip: expect.stringMatching(/^ip [\da-f]{16}$/),
        scored_device: expect.stringMatching(/^device [\da-f]{16}$/),
      },
    ]);
    expect(await scoresOf(project)).toMatchObject({ ip: [1, 0], device: [1, 0] });
  });
});

describe('an address that nobody verifies', () => {
  test('is refused at the intake with its factors, by any number, in this project alone', async () => {
    const [project, other] = [await newProject(), await newProject()];
    const client = { ip: freshIp() };
    const { id } = await sent(project, freshPhone(), client);
    await pump(id, { ip: IP_SAMPLE_MIN });
    expect(await askFor(project, freshPhone(), client)).toMatchObject({
      kind: 'refused',
      reason: 'risk-blocked',
      facts: { factors: [{ factor: 'ip', risk: 1 }] },
    });
    expect(await askFor(project, freshPhone(), { ip: freshIp() })).toMatchObject({ kind: 'accepted' });
    expect(await askFor(project, freshPhone(), null)).toMatchObject({ kind: 'accepted' });
    expect(await askFor(other, freshPhone(), client)).toMatchObject({ kind: 'accepted' });
  });

  test('is refused by the worker too, and explain, the timeline and the board name the factors', async () => {
    const project = await newProject();
    const client = { ip: freshIp(), device_id: 'phone-1' };
    const { id: earlier } = await sent(project, freshPhone(), client);
    const { id, jobId } = await sendCode(world, orderFor(project, freshPhone(), { client }));
    await pump(earlier, { ip: IP_SAMPLE_MIN / 2, device: DEVICE_SAMPLE_MIN });
    const woken = await world.wake({ sms: async () => accepted })(jobId);
    expect(woken).toMatchObject({ kind: 'finished', state: 'rejected', reason: 'risk-blocked' });
    const named = [{ factor: 'ip' }, { factor: 'device' }];
    const explained = await explanations(world.pool).explain(id);
    expect(explained?.sends[0]?.block).toMatchObject({ reason: 'risk-blocked', factors: named });
    const timeline = await world.verifications.timeline(project.projectId, 'live', id);
    expect(timeline?.jobs[0]?.block).toMatchObject({ factors: named });
    expect(await verifyOps.block(world.pool, jobId, new Date())).toMatchObject({ factors: named });
  });
});

describe('a client that the service vouches for', () => {
  test('gets a code behind a pumped prefix, at the intake and by the worker, and it counts there', async () => {
    const project = await newProject();
    const phone = freshPhone();
    const { id } = await sent(project, phone, null);
    await pump(id, { prefix: PREFIX_SAMPLE_MIN });
    expect(await askFor(project, phone.replace(/.$/, '1'), {})).toMatchObject({ reason: 'prefix-blocked' });
    const { woken } = await sent(project, phone.replace(/.$/, '2'), { trusted: true });
    expect(woken).toMatchObject({ kind: 'waiting' });
    expect((await scoresOf(project))['prefix']?.[0]).toBeGreaterThan(PREFIX_SAMPLE_MIN);
  });
});

test('of sends at one moment, at two workers, as many are paid for as the address may have', async () => {
  const project = await newProject();
  const client = { ip: freshIp() };
  const { id } = await sent(project, freshPhone(), client);
  const made = await Promise.all(
    Array.from({ length: 12 }, () => sendCode(world, orderFor(project, freshPhone(), { client }))),
  );
  await pump(id, { ip: IP_SAMPLE_MIN - 5 });
  const other = { ...world, paid: paidAttempts(world.pool, () => new Date()) };
  const openings = await openingsOf(
    project,
    made.map(({ jobId }) => jobId),
  );
  const opened = await Promise.all(
    openings.map((opening, index) => (index % 2 ? world : other).paid.open(opening)),
  );
  expect(opened.filter(({ kind }) => kind === 'accepted')).toHaveLength(5);
  expect(opened.filter(({ kind }) => kind === 'refused')).toEqual(
    Array.from({ length: 7 }, () => expect.objectContaining({ reason: 'risk-blocked' })),
  );
});

test('openings, approvals and refusals that share an address, a device and prefixes break no circle', async () => {
  const project = await newProject();
  const before = await deadlocksOf(world);
  const client = { ip: freshIp(), device_id: 'one-for-all' };
  const phones = Array.from({ length: 4 }, freshPhone);
  for (let round = 0; round < 8; round++)
    await Promise.all(
      phones.map(async (phone, at) => {
        const number = phone.replace(/.{2}$/, String(10 + round));
        const made = await sent(project, number, client, at % 2 ? accepted : refusedByProvider);
        await Promise.all([
          verify(project, made),
          sent(project, phone.replace(/.{2}$/, String(50 + round)), client, refusedByProvider),
        ]);
      }),
    );
  expect(await deadlocksOf(world)).toBe(before);
});

test('a verification that has ended forgets under which names it was scored', async () => {
  const { verifyRetention } = await import('../../../../infra/postgres/verify/retention.ts');
  const project = await newProject();
  const made = await sent(project, freshPhone(), { ip: freshIp(), device_id: 'phone-1' });
  await verify(project, made);
  const [erase] = verifyRetention.rules;
  await world.pool.query(erase?.sql ?? '', [new Date(Date.now() + 1_000), 100]);
  const { rows } = await world.pool.query(
    'select client, scored_ip, scored_device from verification where id = $1',
    [made.id],
  );
  expect(rows).toEqual([{ client: null, scored_ip: null, scored_device: null }]);
});

test('the next provider of a code that an earlier one lost is not blocked by what was lost', async () => {
  const project = await newProject();
  const phone = freshPhone();
  const { id, jobId } = await sent(project, phone, null);
  await pump(id, { prefix: PREFIX_SAMPLE_MIN });
  const [opening] = await openingsOf(project, [jobId]);
  if (!opening) throw new Error('no job');
  expect(await world.paid.open({ ...opening, isLater: false })).toMatchObject({ reason: 'prefix-blocked' });
  expect(await world.paid.open({ ...opening, isLater: true })).toMatchObject({ opened: 'opened' });
});

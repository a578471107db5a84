import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVICES_MAX } from '../../../domain/identity/device/device.ts';
import { answer, ask, fetchChallenge, personAndPhone, personWithPhone } from '../../support/approvals.ts';
import { bindPerson } from '../../support/bound-person.ts';
import { type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';
import { newNumber, platformApp } from '../../support/platform.ts';
import {
  type Asker,
  claimWith,
  hashOfToken,
  newToken,
  openAsker,
  shapeOf,
  surfaces,
} from '../../support/surfaces.ts';

/** What nobody may learn: whether somebody has Navbat's app. How long the answers take is `npm run bench -- enumeration`. */
let navbat: Navbat;
let project: TestProject;
let app: TestProject;
let asker: Asker;
let unseen: ReturnType<typeof askUnseen>;
/** Longer than the push is waited for, and the SMS behind it. */
const CHAIN_MS = 150_000;

beforeAll(async () => {
  navbat = await startNavbat({ env: { TRUST_PROXY: '1' } });
  project = await navbat.createProject({ settings: { sends_per_hour: 100 } });
  asker = openAsker(navbat.apiUrl, project.key);
  app = await platformApp(navbat);
  unseen = askUnseen();
  // Where it fails, its own test says so.
  unseen.catch(() => undefined);
});
afterAll(async () => {
  await asker.client.close();
  await navbat.stop();
});

/**
 * A stranger project's push and SMS to whoever has the app, denies, and to whoever has not. Begun before all other tests: the push is
 * waited for in real time, while they run.
 */
async function askUnseen() {
  const { number, phone } = await personAndPhone(navbat, app);
  const people = { has: number, hasNot: newNumber() };
  const sends = {
    has: await ask(project, people.has, { channels: ['push', 'sms'], purpose: 'unseen' }),
    hasNot: await ask(project, people.hasNot, { channels: ['push', 'sms'], purpose: 'unseen' }),
  };
  const asked = await fetchChallenge(navbat, phone, sends.has.job_id);
  expect(await answer(phone, asked, { decision: 'deny' })).toMatchObject({ status: 200 });
  const timelines = await Promise.all(
    Object.values(sends).map(({ id }) =>
      until(async () => {
        const timeline = (await project.call('GET', `/otp/${id}`)).body;
        return timeline.jobs[0].state === 'completed' && timeline;
      }, CHAIN_MS),
    ),
  );
  return { sends, timelines };
}

describe('a person with five devices and a number that nobody has read the same', () => {
  test.each(surfaces.map((surface) => [surface.name, surface] as const))('in %s', async (_name, surface) => {
    const [known, unknown] = [newNumber(), newNumber()];
    await bindPerson(navbat, known, DEVICES_MAX);
    const shapes = [];
    for (const number of [known, unknown]) {
      const prepared = await surface.prepare(asker, number);
      shapes.push(shapeOf(await surface.ask(asker, number, prepared)));
    }
    expect(shapes[0]).toEqual(shapes[1]);
    // No limit and no fault, which would read the same whoever is asked for.
    expect(shapes[0]).toMatchObject({ status: expect.toBeOneOf([202, 422]) });
  });

  test('in what becomes of a push, until they approve', async () => {
    const known = newNumber();
    const phone = await personWithPhone(navbat, app, known);
    const unknown = newNumber();
    const sent = [];
    for (const to of [known, unknown])
      sent.push(
        (await project.call('POST', '/otp/send', { to, channels: ['push'], purpose: 'timeline' })).body,
      );
    const timeline = async (id: string) => {
      await until(async () => (await project.call('GET', `/otp/${id}`)).body.jobs[0]?.attempts[0]?.closed_at);
      const { body } = await project.call('GET', `/otp/${id}`);
      // The two numbers differ, and with them what is masked of them.
      return shapeOf({ status: 200, headers: {}, text: JSON.stringify({ ...body, to: null }) });
    };
    const [ofKnown, ofUnknown] = sent;
    expect(await timeline(ofKnown.id)).toEqual(await timeline(ofUnknown.id));
    const asked = await fetchChallenge(navbat, phone, ofKnown.job_id);
    expect(await timeline(ofKnown.id)).toEqual(await timeline(ofUnknown.id));
    // It can differ: their own yes tells.
    await answer(phone, asked, { decision: 'approve', number: ofKnown.number });
    expect(await timeline(ofKnown.id)).not.toEqual(await timeline(ofUnknown.id));
  });
});

test('a token that was used, one that is over, and one that never was read the same', async () => {
  const { personId } = await bindPerson(navbat, newNumber());
  const [used, over] = [newToken(), newToken()];
  await navbat.db.query(
    `insert into enrolment (token_hash, person_id, created_at, expires_at, used_at)
     values ($1, $3, now(), now() + interval '5 minutes', now()), ($2, $3, now(), now() - interval '1 ms', null)`,
    [hashOfToken(used), hashOfToken(over), personId],
  );
  const shapes = [];
  for (const token of [used, over, newToken()]) shapes.push(shapeOf(await claimWith(asker, token)));
  expect(shapes[0]).toMatchObject({ status: 410 });
  expect(shapes[1]).toEqual(shapes[0]);
  expect(shapes[2]).toEqual(shapes[0]);
});

/** Everything but what must differ: ids, times, the masked number, and the two digits. */
function timelineShapeOf(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => timelineShapeOf(one));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, timelineShapeOf(one, name)]));
  if (typeof value !== 'string') return /^(latency_ms|cost_micros)$/.test(key) ? typeof value : value;
  if (/^[0-9a-f-]{36}$/.test(value)) return 'id';
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return 'time';
  return /(id|url|_reference|^to|number)$/.test(key) ? 'told' : value;
}

describe('a project that the person never approved for', () => {
  test('is told of nobody in its default order, where a code goes out at once', async () => {
    const { number } = await personAndPhone(navbat, app);
    const sent = await project.call('POST', '/otp/send', { to: number, purpose: 'by-default' });
    expect(sent.body).toMatchObject({ channels: ['sms'], number: expect.stringMatching(/^\d{2}$/) });
  });

  // The last of this file: by now most of its wait is over.
  test(
    'sees no difference between whoever has the app, denies, and whoever has not',
    async () => {
      const { sends, timelines } = await unseen;
      expect(timelineShapeOf(sends.has)).toEqual(timelineShapeOf(sends.hasNot));
      expect(timelineShapeOf(timelines[0])).toEqual(timelineShapeOf(timelines[1]));
      expect(timelines[0]).toMatchObject({
        status: 'live',
        approval: null,
        jobs: [
          {
            attempts: [
              { provider: 'navbat-app', outcome: 'completed', latency_ms: null, delivery: null },
              { channel: 'sms' },
            ],
          },
        ],
      });
      const gaps = timelines.map(({ jobs: [{ attempts }] }) => {
        const [push, sms] = attempts.map(({ opened_at }: { opened_at: string }) => Date.parse(opened_at));
        return sms - push;
      });
      // A denial is known long before: it must not bring the next channel forward.
      for (const gapMs of gaps) expect(gapMs).toBeGreaterThanOrEqual(14_900);
      const jobs = await Promise.all(
        Object.values(sends).map(({ job_id }) => project.call('GET', `/jobs/${job_id}`)),
      );
      expect(timelineShapeOf(jobs[0]?.body)).toEqual(timelineShapeOf(jobs[1]?.body));
      expect(jobs[0]?.body.attempts[0]).toMatchObject({ latency_ms: null });
    },
    CHAIN_MS + 10_000,
  );
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVICES_MAX } from '../../../domain/identity/device/device.ts';
import { answer, fetchChallenge, personWithPhone } from '../../support/approvals.ts';
import { bindPerson } from '../../support/bound-person.ts';
import { type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';
import { platformApp } from '../../support/platform.ts';
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
let asker: Asker;
let nextNumber = 1_000;

beforeAll(async () => {
  navbat = await startNavbat({ env: { TRUST_PROXY: '1' } });
  project = await navbat.createProject({ settings: { sends_per_hour: 100 } });
  asker = openAsker(navbat.apiUrl, project.key);
});
afterAll(async () => {
  await asker.client.close();
  await navbat.stop();
});

const freshNumber = () => `+99890123${nextNumber++}`;

describe('a person with five devices and a number that nobody has read the same', () => {
  test.each(surfaces.map((surface) => [surface.name, surface] as const))('in %s', async (_name, surface) => {
    const [known, unknown] = [freshNumber(), freshNumber()];
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
    const known = freshNumber();
    const phone = await personWithPhone(navbat, await platformApp(navbat), known);
    const unknown = freshNumber();
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
  const { personId } = await bindPerson(navbat, freshNumber());
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

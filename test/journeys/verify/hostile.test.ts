import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STRANGER_PUSHES_PER_HOUR } from '../../../domain/identity/approval/push-limits.ts';
import { FAILED_CHECKS_IN_A_ROW_MAX } from '../../../domain/verify/check.ts';
import { answer, fetchChallenge, personWithPhone, pushTokenOf } from '../../support/approvals.ts';
import { flood, type FloodFigures, paidMessages } from '../../support/hostile-flood.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';
import type { TestPhone } from '../../support/phone.ts';
import { platformApp } from '../../support/platform.ts';

/** What strangers do with keys of their own costs a person neither their device nor more than a few messages. */
const NUMBER = '+998901234567';
const REQUESTS = 10_000;
/** Each is asked 250 times; of these checks few meet a code that lives, and the others count against nobody. */
const PROJECTS = 40;
const AT_ONCE = 48;
/** Of one verification. */
const CHECKS_MAX = 5;
/** X15: over all projects, in an hour. */
const PAID_MESSAGES_MAX = 15;
/** Ten seconds on two quiet cores, and as many minutes as it wants on busy ones. */
const FLOOD_LIMIT_MS = 600_000;

let navbat: Navbat;
let hostile: TestProject[];
let phone: TestPhone;
let figures: FloodFigures;

beforeAll(async () => {
  navbat = await startNavbat({ env: { TRUST_PROXY: '1' } });
  // Neither its budget nor its own limit holds a hostile project back.
  const settings = { sms_daily_budget_micros: 1_000_000_000, sends_per_hour: 30 };
  hostile = await Promise.all(Array.from({ length: PROJECTS }, () => navbat.createProject({ settings })));
  phone = await personWithPhone(navbat, await platformApp(navbat), NUMBER);
  figures = await floodWith(hostile, REQUESTS);
  await paidMessages(navbat, NUMBER);
}, FLOOD_LIMIT_MS);
afterAll(() => navbat.stop());

async function floodWith(projects: readonly TestProject[], requests: number): Promise<FloodFigures> {
  const spared = new Set(await Promise.all(Array.from({ length: 40 }, (_, index) => phone.totp(index - 2))));
  return flood({ number: NUMBER, projects, requests, atOnce: AT_ONCE, spared });
}

const first = () => hostile[0] ?? expect.fail('there is no project');
const sendTo = (project: TestProject, channels: readonly string[], purpose: string) =>
  project.call('POST', '/otp/send', { to: NUMBER, channels, purpose });
const lockedProjects = async () => {
  const { rows } = await navbat.db.query<{ n: number }>(
    'select count(*)::int n from destination where locked_at is not null',
  );
  return rows[0]?.n;
};

let nextGuess = 0;
/** A hundred wrong codes, each typed for a verification that lives: five a send. */
async function guessUntilLocked(project: TestProject): Promise<void> {
  // An hour in which each project may send 30 times has to do for two locks.
  await navbat.db.query(`update destination set sent_at = '{}' where project_id = $1`, [project.id]);
  const rights = await Promise.all(Array.from({ length: 40 }, (_, index) => phone.totp(index - 20)));
  const wrong = ['000000', '111111', '222222'].find((code) => !rights.includes(code)) ?? '333333';
  for (let guesses = 0; guesses < FAILED_CHECKS_IN_A_ROW_MAX; guesses += CHECKS_MAX) {
    const sent = await sendTo(project, ['totp'], `guess-${nextGuess++}`);
    // Those of the flood that met a code that lived count too.
    if (String(sent.body.type).endsWith(':destination-locked')) return;
    expect(sent.status, JSON.stringify(sent.body)).toBe(202);
    for (let check = 0; check < CHECKS_MAX; check++)
      await project.call('POST', '/otp/verify', { id: sent.body.id, code: wrong });
  }
}

describe(`after ${REQUESTS} hostile checks and sends to one number`, () => {
  test('every one was answered, none let in, and what was typed where no code lived has locked nobody out', async () => {
    const { sends, checks, approved, checksByStatus, refusals } = figures;
    expect(sends + checks).toBe(REQUESTS);
    // One guess in a million hits a code that was sent.
    expect(approved).toBeLessThanOrEqual(1);
    expect(Object.keys(checksByStatus).filter((status) => status !== '200')).toEqual(['410', '422']);
    expect(refusals).not.toHaveProperty('destination-locked');
    expect(await lockedProjects()).toBe(0);
  });

  test('no more than fifteen paid messages have left, nor more pushes than strangers share', async () => {
    expect(await paidMessages(navbat, NUMBER)).toBe(PAID_MESSAGES_MAX);
    const pushes = navbat.sandbox.inbox({ to: pushTokenOf(NUMBER) });
    expect(pushes.length).toBeLessThanOrEqual(STRANGER_PUSHES_PER_HOUR);
  });

  test('its device passes in a project that nobody guessed in', async () => {
    const shop = await navbat.createProject();
    const { body } = await sendTo(shop, ['totp'], 'login');
    const check = { id: body.id, code: await phone.totp(1) };
    expect(await shop.call('POST', '/otp/verify', check)).toMatchObject({ status: 200 });
  });

  test('a project that has locked it takes no code, yet its person’s approval, which opens it', async () => {
    const project = first();
    await guessUntilLocked(project);
    expect(await lockedProjects()).toBe(1);
    expect((await sendTo(project, ['sms'], 'login')).status).toBe(429);
    const sent = await sendTo(project, ['push', 'totp'], 'login');
    expect(sent.status, JSON.stringify(sent.body)).toBe(202);
    const check = { id: sent.body.id, code: await phone.totp() };
    expect(await project.call('POST', '/otp/verify', check)).toMatchObject({ status: 429 });

    const asked = await fetchChallenge(navbat, phone, sent.body.job_id);
    expect(await answer(phone, asked, { decision: 'approve', number: sent.body.number })).toMatchObject({
      status: 200,
    });
    expect((await project.call('GET', `/otp/${sent.body.id}`)).body).toMatchObject({ status: 'approved' });
    // Elsewhere a lock that opened by itself would tell who set it that there is somebody.
    expect(await lockedProjects()).toBe(0);
    expect((await sendTo(project, ['totp'], 'after')).status).toBe(202);
  });

  test('its person opens it from the device without being asked where they are known, and nobody else does', async () => {
    const project = first();
    await guessUntilLocked(project);
    expect(await lockedProjects()).toBe(1);
    const unlock = (token: string) =>
      phone.fetch('POST', '/me/unlock', {}, { Authorization: `Bearer ${token}` });
    expect((await unlock(project.key)).status).toBe(401);
    expect((await phone.signIn()).status).toBe(200);
    expect(await unlock(phone.session.access_token)).toMatchObject({ status: 200, body: { lifted: 1 } });
    expect(await lockedProjects()).toBe(0);
    expect((await sendTo(project, ['totp'], 'opened')).status).toBe(202);
  });
});

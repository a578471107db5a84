import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, type Asked, fetchChallenge, personOf, personWithPhone } from '../../../support/approvals.ts';
import { type Navbat, type Reply, startNavbat, type TestProject, until } from '../../../support/navbat.ts';
import type { TestPhone } from '../../../support/phone.ts';
import { platformApp } from '../../../support/platform.ts';

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;
let nextNumber = 1_000;

beforeAll(async () => {
  navbat = await startNavbat({ env: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
  app = await platformApp(navbat);
  shop = await navbat.createProject({ settings: { display_name: 'Shop', sends_per_hour: 100 } });
});
afterAll(() => navbat.stop());

const newNumber = () => `+99890777${nextNumber++}`;

async function bound(curve: 'Ed25519' | 'P-256' = 'Ed25519') {
  const number = newNumber();
  return { number, phone: await personWithPhone(navbat, app, number, curve) };
}

/** A push for approval, and what the 202 says of it. Each purpose has a verification of its own. */
let purposes = 0;
async function ask(project: TestProject, to: string, more: object = {}): Promise<Reply['body']> {
  const purpose = `approve-${purposes++}`;
  const sent = await project.call('POST', '/otp/send', { to, channels: ['push'], purpose, ...more });
  expect(sent.status, JSON.stringify(sent.body)).toBe(202);
  return sent.body;
}

/** The person approves for the project, so that it knows them from now on. */
async function befriend(project: TestProject, to: string, phone: TestPhone): Promise<void> {
  const sent = await ask(project, to);
  const asked = await fetchChallenge(navbat, phone, sent.job_id);
  await until(async () => (await pushedOf(asked)) === 'sent');
  expect(await answer(phone, asked, { decision: 'approve', number: sent.number })).toMatchObject({
    status: 200,
  });
}

const pushedOf = async ({ id }: Pick<Asked, 'id'>) =>
  (await navbat.db.query('select pushed from challenge where id = $1', [id])).rows[0]?.pushed as
    | string
    | null;

test('a locked destination is opened by its person’s approval', async () => {
  const { number, phone } = await bound();
  await navbat.db.query(
    `insert into destination (address_hash, project_id, failed_checks, locked_at, updated_at)
     select address_hash, $1, 100, now(), now() from person_phone where person_id = $2`,
    [shop.id, await personOf(navbat, number)],
  );
  const refused = await shop.call('POST', '/otp/send', { to: number, channels: ['sms'] });
  expect(refused).toMatchObject({ status: 429, body: { type: /destination-locked/ } });
  const sent = await ask(shop, number, { channels: ['push', 'sms'] });
  expect(sent.channels).toEqual(['push']);
  const asked = await fetchChallenge(navbat, phone, sent.job_id);
  expect(await answer(phone, asked, { decision: 'approve', number: sent.number })).toMatchObject({
    status: 200,
  });
  expect((await shop.call('POST', '/otp/send', { to: number, channels: ['sms'] })).status).toBe(202);
});

describe('a number that a project says is theirs, and that they never proved', () => {
  /** The project gives the recipient of somebody whom it knows another number. */
  async function claim(project: TestProject, claimed: string) {
    const { number, phone } = await bound();
    const handle = `handle-${claimed}`;
    await project.call('PUT', '/recipients', { handle, phone: number });
    await befriend(project, number, phone);
    expect(await project.call('PUT', '/recipients', { handle, phone: claimed })).toMatchObject({
      status: 200,
    });
    return phone;
  }

  test('is not theirs to approve', async () => {
    const claimed = newNumber();
    const phone = await claim(shop, claimed);
    const sent = await ask(shop, claimed);
    const challenge = await until(async () => {
      const { rows } = await navbat.db.query('select person_id from challenge where job_id = $1', [
        sent.job_id,
      ]);
      return rows[0];
    });
    expect(challenge).toEqual({ person_id: null });
    expect((await phone.call('GET', '/me/challenges')).body.data).toEqual([]);
  });

  test('is not theirs to unlock, in no project', async () => {
    const claimed = newNumber();
    const phone = await claim(shop, claimed);
    await navbat.db.query(
      `insert into destination (address_hash, project_id, failed_checks, locked_at, totp_failures, updated_at)
       select address_hash, p, 100, now(), 1000, now() from recipient, unnest($2::uuid[]) p where handle = $1
       on conflict (address_hash, project_id) do update set locked_at = now(), totp_failures = 1000`,
      [`handle-${claimed}`, [shop.id, app.id]],
    );
    expect(await phone.call('POST', '/me/unlock', {})).toMatchObject({ status: 200, body: { lifted: 0 } });
    const { rows } = await navbat.db.query(
      `select d.locked_at is not null locked, d.totp_failures from destination d join recipient r using (address_hash) where r.handle = $1`,
      [`handle-${claimed}`],
    );
    expect(rows).toEqual(Array.from({ length: 2 }, () => ({ locked: true, totp_failures: 1000 })));
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answer,
  ask,
  befriend,
  fetchChallenge,
  personAndPhone,
  personOf,
  startWithShop,
} from '../../../support/approvals.ts';
import { type Navbat, type TestProject, until } from '../../../support/navbat.ts';
import { newNumber } from '../../../support/platform.ts';

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;

beforeAll(async () => {
  ({ navbat, app, shop } = await startWithShop());
});
afterAll(() => navbat.stop());

const bound = () => personAndPhone(navbat, app);

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
    await befriend(navbat, project, number, phone);
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

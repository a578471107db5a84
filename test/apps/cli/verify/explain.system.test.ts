import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answer,
  ask,
  fetchChallenge,
  personAndPhone,
  pushedOf,
  startWithShop,
} from '../../../support/approvals.ts';
import { type Navbat, type TestProject, until } from '../../../support/navbat.ts';
import { startReceiver } from '../../../support/webhook-receiver.ts';

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;

beforeAll(async () => {
  ({ navbat, app, shop } = await startWithShop());
});
afterAll(() => navbat.stop());

const bound = () => personAndPhone(navbat, app);

describe('navbat explain', () => {
  const explain = (id: string, ...more: string[]) =>
    new Promise<string>((resolve, reject) => {
      const args = ['apps/cli/main.ts', 'explain', id, ...more];
      execFile(process.execPath, args, { env: { ...process.env, ...navbat.env } }, (error, out, err) =>
        error ? reject(new Error(err)) : resolve(out),
      );
    });

  test('tells request, attempts, challenge, signed answer and callback in order, and no secret', async () => {
    const { number, phone } = await bound();
    const receiver = await startReceiver();
    const sent = await ask(shop, number, {
      // It moves the cursor of whoever reads it.
      client: { ip: '203.0.113.7', user_agent: '\u001B[2J\u001B[HFirefox' },
      callback_url: `${receiver.url}/told?token=hidden`,
    });
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    await until(async () => (await pushedOf(navbat, asked)) === 'sent');
    await answer(phone, asked, { decision: 'approve', number: sent.number });
    await until(async () => receiver.received.some(({ body }) => body.includes('verification.approved')));
    const told = await until(async () => {
      const out = await explain(sent.id);
      return /callback +verification\.approved/.test(out) && out;
    });
    const order = [
      /request/,
      /attempt 1 +push by navbat-app/,
      /challenge +.*push sent/,
      /challenge +.*seen in the app/,
      /answer +.*approved on device .*, the signature holds/,
      /callback +verification\.approved to http.*\/told.*, try 1: completed, 204/,
    ].map((line) => told.search(line));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    for (const secret of [number, 'hidden', '\u001B']) expect(told).not.toContain(secret);

    const json = JSON.parse(await explain(sent.id, '--json'));
    expect(json).toMatchObject({
      verification: { state: 'approved', client: { ip: '203.0.113.7' } },
      approvals: [{ result: 'approved', signatureHolds: true, deviceId: phone.id }],
    });
    // Whoever could change a row can't make the signature fit it.
    await navbat.db.query('alter table approval disable trigger approval_is_kept');
    await navbat.db.query(
      `update approval set statement = replace(statement, '"approve-', '"another-') where challenge_id = $1`,
      [asked.id],
    );
    await navbat.db.query('alter table approval enable trigger approval_is_kept');
    expect(await explain(sent.id)).toContain('THE SIGNATURE DOES NOT HOLD');
    await expect(
      navbat.db.query('update approval set result = result where challenge_id = $1', [asked.id]),
    ).rejects.toThrow('approvals are kept');
    await expect(explain(asked.id)).rejects.toThrow('There is no verification');
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../../infra/embedded/port.ts';
import { type Navbat, startNavbat, until } from '../../support/navbat.ts';

let navbat: Navbat;
let metricsPort = 0;

beforeAll(async () => {
  metricsPort = await freePort();
  navbat = await startNavbat({
    processes: [],
    env: {
      ESKIZ_EMAIL: 'sms@navbat.example',
      ESKIZ_PASSWORD: 'a-password-of-the-sandbox',
      ESKIZ_FROM: '4546',
      SMS_BALANCE_LOW_UZS: '1000',
      WORKER_METRICS_PORT: String(metricsPort),
    },
  });
});
afterAll(() => navbat.stop());

test('a worker asks for the balance as it starts, and shows it to scrapers and staff', async () => {
  navbat.sandbox.orderEskiz({ balance_uzs: 999.5 });
  await navbat.start('workers/main.ts', ['otp-send'], 'worker ready');
  const page = () => fetch(`http://127.0.0.1:${metricsPort}/metrics`).then((response) => response.text());
  await until(async () => (await page()).includes('navbat_sms_balance{provider="eskiz"} 999.5'));
  const kept = await until(async () => {
    const { rows } = await navbat.db.query('select * from provider_balance');
    return rows[0];
  });
  expect(kept).toMatchObject({
    provider: 'eskiz',
    micros: '999500000',
    low_since: expect.any(Date),
    error: null,
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportsAddress } from '../../../../infra/process/reports-address.ts';
import { type Navbat, startNavbat, type TestProject } from '../../../support/navbat.ts';

const PASSWORD = 'password-of-play-mobile';
let navbat: Navbat;
let shop: TestProject;
let next = 0;

beforeAll(async () => {
  navbat = await startNavbat({ processes: ['api'], env: { PLAY_MOBILE_PASSWORD: PASSWORD } });
  shop = await navbat.createProject();
});
afterAll(() => navbat.stop());

/** A code that went by Play Mobile and waits for its report. */
async function sent() {
  const reference = `message-${next++}`;
  const { body } = await shop.call('POST', '/otp/send', {
    to: `+99890${1_000_000 + next}`,
    channels: ['sms'],
  });
  await navbat.db.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, provider_reference)
     values ($1, 1, $2, 'sms', 'play-mobile', now(), now(), 'completed', $3)`,
    [body.job_id, shop.id, reference],
  );
  await navbat.db.query(`update job set attempts = 1, state = 'running' where id = $1`, [body.job_id]);
  return { reference, jobId: body.job_id as string };
}
type Sent = Awaited<ReturnType<typeof sent>>;
const deliveryOf = async (jobId: string) =>
  (await navbat.db.query('select delivery from attempt where job_id = $1', [jobId])).rows[0]?.delivery;

async function post(body: unknown, address = reportsAddress(navbat.apiUrl, PASSWORD)): Promise<number> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (await fetch(address, { method: 'POST', body: text })).status;
}
async function counted(because: string): Promise<number> {
  const page = await (await fetch(`${navbat.apiUrl}/metrics`)).text();
  const line = `navbat_sms_reports_unknown_total{provider="play-mobile",because="${because}"} `;
  return Number(
    page
      .split('\n')
      .find((each) => each.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
}
const delivered = (reference: string) => ({ 'message-id': reference, status: 'Delivered' });

test('one report, and a list, are each recorded with the attempt of their message', async () => {
  const [one, two, three] = [await sent(), await sent(), await sent()];
  expect(await post(delivered(one.reference))).toBe(200);
  expect(
    await post({
      messages: [delivered(two.reference), { 'message-id': three.reference, status: 'Rejected' }],
    }),
  ).toBe(200);
  expect([await deliveryOf(one.jobId), await deliveryOf(two.jobId), await deliveryOf(three.jobId)]).toEqual([
    'delivered',
    'delivered',
    'failed',
  ]);
});

test('a parameter that the provider adds one day loses no report', async () => {
  const known = await sent();
  const address = `${reportsAddress(navbat.apiUrl, PASSWORD)}&added=by-the-provider`;
  expect(await post(delivered(known.reference), address)).toBe(200);
  expect(await deliveryOf(known.jobId)).toBe('delivered');
});

test('a message that nobody knows stops no other of its list, is answered 200 and counted', async () => {
  const known = await sent();
  const before = await counted('unknown-message');
  expect(await post([delivered('nobody'), delivered(known.reference), delivered('nobody-2')])).toBe(200);
  expect(await deliveryOf(known.jobId)).toBe('delivered');
  expect((await counted('unknown-message')) - before).toBe(2);
});

test('one odd entry stops no other of its list, is counted, and is logged once a post', async () => {
  const [first, last] = [await sent(), await sent()];
  const before = await counted('unreadable');
  const logged = () => navbat.log.filter((line) => line.includes('delivery reports were not readable'));
  const linesBefore = logged().length;
  const odd = { 'message-id': 'zzz', status: null };
  expect(await post([delivered(first.reference), odd, odd, delivered(last.reference)])).toBe(200);
  expect([await deliveryOf(first.jobId), await deliveryOf(last.jobId)]).toEqual(['delivered', 'delivered']);
  expect((await counted('unreadable')) - before).toBe(2);
  await expect.poll(() => logged().length - linesBefore).toBe(1);
  expect(logged().at(-1)).toContain('"unreadable":2');
});

test.each([
  ['U+0000 in another id', () => ({ 'message-id': 'a\0b', status: 'Delivered' })],
  ['half of a surrogate pair in another id', () => ({ 'message-id': '\ud800', status: 'Delivered' })],
  ['U+0000 in a word of another', ({ reference }: Sent) => ({ 'message-id': reference, status: 'Failed\0' })],
  ['a word of every object', ({ reference }: Sent) => ({ 'message-id': reference, status: 'constructor' })],
])('%s is answered 200, and the report behind it is recorded', async (_what, hostile) => {
  const [other, known] = [await sent(), await sent()];
  expect(await post([hostile(other), delivered(known.reference)])).toBe(200);
  expect(await deliveryOf(known.jobId)).toBe('delivered');
});

test.each(['no JSON', [{}], 7])('%j is acknowledged, since it would come back the same', async (body) => {
  expect(await post(body)).toBe(200);
});

test('a list of more than 500 reports is refused whole', async () => {
  const known = await sent();
  const list = (length: number) => Array.from({ length }, () => delivered(known.reference));
  expect(await post(list(501))).toBe(413);
  expect(await deliveryOf(known.jobId)).toBeNull();
  expect(await post([...Array.from({ length: 500 }, () => ({})), delivered(known.reference)])).toBe(413);
  expect(await deliveryOf(known.jobId)).toBeNull();
  expect(await post(list(500))).toBe(200);
  expect(await deliveryOf(known.jobId)).toBe('delivered');
});

describe('without the token that was agreed', () => {
  test.each([
    ['another', '?token=forged'],
    ['none', ''],
    ['an empty one', '?token='],
    ['two', '?token=a&token=b'],
    ['that of another password', new URL(reportsAddress('http://x', 'another')).search],
  ])('%s changes nothing, and its body is not read', async (_what, query) => {
    const known = await sent();
    const address = `${navbat.apiUrl}/callbacks/play-mobile${query}`;
    expect(await post(delivered(known.reference), address)).toBe(403);
    expect(await post('x'.repeat(100_000), address)).toBe(403);
    expect(await deliveryOf(known.jobId)).toBeNull();
  });
});

test('the token is in no line of the log', async () => {
  await post([delivered('nobody')]);
  await post('x'.repeat(100_000));
  const token = new URL(reportsAddress(navbat.apiUrl, PASSWORD)).searchParams.get('token') ?? '?';
  expect(navbat.log.join('\n')).not.toContain(token);
});

test('no other provider reports this way', async () => {
  for (const name of ['twilio', 'eskiz', 'toString'])
    expect(await post({}, `${navbat.apiUrl}/callbacks/${name}?token=x`)).toBe(404);
  const { jobId } = await sent();
  expect(await post({}, `${navbat.apiUrl}/callbacks/toString/${jobId}/1`)).toBe(404);
});

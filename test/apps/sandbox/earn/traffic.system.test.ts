import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  gatewayLies,
  type GatewayLie,
  TrafficGateway,
} from '../../../../apps/sandbox/earn/traffic/gateway.ts';
import { type PhoneLine, SharingPhone } from '../../../../apps/sandbox/earn/traffic/phone.ts';
import { startTraffic, type TrafficSandbox } from '../../../../apps/sandbox/earn/traffic/start-traffic.ts';
import { tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { openSession } from '../../../rules/policy/person-objects.ts';
import { makeStaff } from '../../../rules/policy/roles.ts';
import { makeKey, makePerson, type World } from '../../../rules/policy/world.ts';
import { eventually } from '../../../support/eventually.ts';
import { startNavbat, type Navbat } from '../../../support/navbat.ts';

let navbat: Navbat;
let policy: World;
let sandbox: TrafficSandbox;
beforeAll(async () => {
  navbat = await startNavbat({
    env: { NAVBAT_PRODUCTS: 'verify,message,pay,earn', MONEY_PROJECT: PLATFORM_PROJECT_ID },
  });
  policy = { ...navbat, hash: keyedHash(navbat.env['PEPPER'] ?? '') } as unknown as World;
  await navbat.db.query('select price_ask($1, $2::date, 100, $3)', [
    PLATFORM_PROJECT_ID,
    tashkentDay(new Date()),
    await makeStaff(policy, 'finance'),
  ]);
  sandbox = await startTraffic({ port: 0, apiUrl: navbat.apiUrl, random: () => 0.5 });
});
afterAll(async () => {
  await sandbox?.close();
  await navbat?.stop();
});

const token = async (): Promise<string> => {
  const personId = await makePerson(policy, 'live');
  return (await openSession(policy, { projectId: PLATFORM_PROJECT_ID, mode: 'live', personId })).token;
};
const gatewayKey = async () => (await makeKey(policy, PLATFORM_PROJECT_ID, { scopes: ['gateways'] })).key;
const order = async (method: string, path: string, body?: object) => {
  const answer = await fetch(sandbox.url + path, { method, ...(body && { body: JSON.stringify(body) }) });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
};
const dayOf = async (session: string) =>
  (
    await navbat.db.query<Record<string, unknown>>(
      'select bytes, payable, gateway_bytes, verdict, reason from session_day where session_id = $1',
      [session],
    )
  ).rows[0];

describe('the phones of the sandbox', () => {
  test('earn by themselves, and one that cheats waits for a person', async () => {
    const { gateway_id } = (await order('POST', '/gateways', { key: await gatewayKey() })).body;
    const start = async (manner: string) =>
      (
        await order('POST', '/phones', {
          access_token: await token(),
          gateway_id,
          manner,
          report_every_s: 1,
          bytes_per_second: 1_000_000,
        })
      ).body as { phone_id: string; session_id: string };
    const honest = await start('honest');
    const cheat = await start('cheats');
    const repeats = await start('repeats');
    await eventually(async () => {
      expect(await dayOf(honest.session_id)).toMatchObject({ verdict: 'pay' });
      expect(await dayOf(cheat.session_id)).toMatchObject({
        verdict: 'review',
        reason: 'counterpart-differs',
      });
    });
    const shown = (await order('GET', '/phones')).body.data;
    expect(shown).toHaveLength(3);
    expect(shown[1].bytes_claimed).toBe(3 * shown[1].bytes_carried);
    const stopped = await order('DELETE', `/phones/${honest.phone_id}`);
    const [day] = stopped.body.days;
    expect(stopped.status).toBe(200);
    expect(day).toMatchObject({ verdict: 'pay', unpaid: [] });
    expect(day.bytes).toBe(day.gateway_bytes);
    const again = (await order('DELETE', `/phones/${repeats.phone_id}`)).body.days[0];
    expect(again.bytes).toBe(again.gateway_bytes);
    expect((await order('DELETE', `/phones/${honest.phone_id}`)).status).toBe(404);
  });

  test.each<[string, string, object, number, string]>([
    ['POST', '/phones', {}, 400, 'access_token'],
    ['POST', '/phones', { access_token: 'x', manner: 'sings' }, 400, 'manner'],
    ['POST', '/phones', { access_token: 'x', gateway_id: randomUUID() }, 404, 'POST /gateways first'],
    ['POST', '/phones', { access_token: 'x' }, 401, 'urn:navbat:problem'],
    ['POST', '/gateways', { key: 'x', lie: 'often' }, 400, 'lie'],
    ['PUT', `/gateways/${randomUUID()}`, { lie: null }, 404, 'POST /gateways first'],
    ['GET', '/elsewhere', {}, 404, 'GET /phones'],
  ])('%s %s with %j is refused with a reason', async (method, path, body, status, words) => {
    const answer = await order(method, path, method === 'GET' ? undefined : body);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringContaining(words)]);
  });
});

describe('a phone', () => {
  test('catches up, splits, repeats, and goes on after it was killed; its log says what it was told', async () => {
    const log: PhoneLine[] = [];
    const phone = new SharingPhone({
      installation: randomUUID(),
      now: () => new Date(),
      api: { urls: ['http://127.0.0.1:9', navbat.apiUrl], token: await token() },
      log: (line) => log.push(line),
    });
    expect((await phone.start()).status).toBe(201);
    const { session } = phone;
    for (let n = 0; n < 5; n += 1) phone.count(10, 90);
    expect((await phone.send(2))?.body).toMatchObject({ accepted: 1 });
    expect(log.map(({ did, reports }) => [did, reports?.length])).toEqual([
      ['start', undefined],
      ['report', 2],
      ['report', 2],
      ['report', 1],
    ]);
    expect((await phone.repeat()).body).toMatchObject({ accepted: 0, repeated: 1, conflicts: 0 });
    phone.count(1_000, 0);
    await phone.kill();
    expect([phone.session, phone.bytes]).toEqual([session, 500]);
    expect(await phone.send()).toBeNull();
    phone.count(5, 5);
    await phone.send();
    const { body } = await phone.stop();
    expect(body).toMatchObject({ days: [{ bytes: 510, reason: 'no-counterpart' }] });
  });
});

describe('a gateway that lies', () => {
  const expected: Readonly<Record<GatewayLie, object>> = {
    'too-little': { gateway_bytes: '500', verdict: 'review' },
    'too-much': { gateway_bytes: '2000', verdict: 'review' },
    late: { gateway_bytes: null, verdict: 'review' },
    twice: { gateway_bytes: '1000', verdict: 'pay' },
    conflicting: { gateway_bytes: '1000', verdict: 'pay' },
    'other-sessions': { gateway_bytes: '1000', verdict: 'pay' },
    never: { gateway_bytes: null, verdict: 'review' },
  };
  test.each(gatewayLies)('%s: the phone is paid for what both say, once', async (lie) => {
    const now = () => new Date();
    const phone = new SharingPhone({
      installation: randomUUID(),
      now,
      api: { urls: [navbat.apiUrl], token: await token() },
    });
    await phone.start();
    const gateway = new TrafficGateway({
      name: lie,
      now,
      lie,
      api: { urls: [navbat.apiUrl], token: await gatewayKey() },
    });
    phone.count(100, 900);
    gateway.carry(phone.session, 100, 900);
    // Two at once say each number once.
    await Promise.all([phone.send(), gateway.tell(), gateway.tell()]);
    await phone.stop();
    expect(await dayOf(phone.session)).toMatchObject({ bytes: '1000', ...expected[lie] });
    if (lie !== 'late') return;
    await gateway.tellLate();
    await phone.stop();
    expect(await dayOf(phone.session)).toMatchObject({ gateway_bytes: '1000', verdict: 'pay' });
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AddressEvidence, DatabaseFacts } from '../../../../domain/earn/address/class.ts';
import { SessionId } from '../../../../domain/earn/ids.ts';
import { filterAudits } from '../../../../infra/postgres/earn/address/audits.ts';
import { sessionAddresses } from '../../../../infra/postgres/earn/address/session-addresses.ts';
import { earnOps } from '../../../../infra/postgres/earn/ops-view.ts';
import { DAY_MS, MB, MINUTE_MS, openEarnWorld } from './earn-world.ts';

const [HOME, PHONE, SERVER, VPN] = ['203.0.113.1', '198.51.100.7', '192.0.2.10', '192.0.2.20'] as const;
const facts: Readonly<Record<string, DatabaseFacts>> = {
  [HOME]: { connectionType: 'Cable/DSL', country: 'UZ' },
  [PHONE]: { connectionType: 'Cellular' },
  [SERVER]: { isHosting: true, organization: 'A host' },
  [VPN]: { isVpn: true },
};
const page = { limit: 50, after: null as string | null };

/** What files would say, of a day that is moved by hand. */
async function openWorld(settings: object = { require_counterpart: 'pay' }) {
  const world = await openEarnWorld(settings);
  const known = { dataAt: world.now() as Date | null, facts: { ...facts } };
  const statements: string[] = [];
  const counted = {
    query: (text: string, values: unknown[]) => {
      statements.push(text.trim().split(/[\s(]/, 1)[0] ?? '');
      return world.pool.query(text, values);
    },
  } as unknown as typeof world.pool;
  const data = {
    evidenceOf: (address: string): AddressEvidence => ({
      listed: null,
      facts: known.facts[address] ?? {},
      isCarrierNat: false,
      dataAt: known.dataAt,
    }),
  };
  const open = () => sessionAddresses({ pool: counted, book: world.projectId, data });
  let process = open();
  return {
    ...world,
    known,
    statements,
    /** As another process, which knows nothing of what was seen. */
    restart: () => (process = open()),
    seen: (of: { sessionId: SessionId; personId: string }, address: string) =>
      process.seen({ sessionId: of.sessionId, personId: of.personId, address, now: world.now() }),
    reassess: () => process.reassess(world.now()),
    audits: (of: SessionId | null = null, order = page) =>
      filterAudits(world.pool, world.projectId).list(of, order),
    sessionOf: async (id: SessionId) =>
      (await world.pool.query('select verdict, reason, job_id from traffic_session where id = $1', [id]))
        .rows[0],
  };
}

const rowsOf = async ({ owner }: Awaited<ReturnType<typeof openWorld>>, table: string) =>
  Number((await owner.query(`select count(*) n from ${table}`)).rows[0].n);

describe('a session', () => {
  test('from home is paid, and nothing is written of its address', async () => {
    const world = await openWorld();
    const earner = await world.earner(MB);
    expect(await world.seen(earner, HOME)).toEqual({ verdict: 'pay', reason: null });
    expect(await world.seen(earner, PHONE)).toEqual({ verdict: 'pay', reason: null });
    expect([await rowsOf(world, 'session_address'), await rowsOf(world, 'filter_audit')]).toEqual([0, 0]);
    expect((await world.sessionOf(earner.sessionId))?.job_id).toBeNull();
  });

  test('that comes from where it came from costs no statement, and one elsewhere costs one', async () => {
    const world = await openWorld();
    const earner = await world.earner(MB);
    await world.seen(earner, HOME);
    world.statements.length = 0;
    for (let n = 0; n < 5; n++) await world.seen(earner, HOME);
    expect(world.statements).toEqual([]);
    await world.seen(earner, SERVER);
    expect(world.statements).toEqual(['select']);
  });

  test('from a server is unpaid, with a record of why, and what was metered is metered again', async () => {
    const world = await openWorld();
    const earner = await world.earner(40n * MB);
    expect(await world.seen(earner, SERVER)).toEqual({ verdict: 'unpaid', reason: 'address-hosting' });
    const { rows } = await world.audits();
    expect(rows).toEqual([
      {
        id: expect.any(String),
        sessionId: earner.sessionId,
        personId: earner.personId,
        address: SERVER,
        class: 'hosting',
        verdict: 'unpaid',
        reason: 'address-hosting',
        evidence: { isHosting: true, organization: 'A host' },
        dataAt: world.known.dataAt,
        at: expect.any(Date),
      },
    ]);
    expect((await world.sessionOf(earner.sessionId))?.job_id).toEqual(expect.any(String));
    await world.meter([earner.sessionId]);
    expect(await world.dayOf(earner.sessionId, earner.day)).toMatchObject({
      verdict: 'unpaid',
      reason: 'address-hosting',
      unpaid: [{ reason: 'address-hosting', bytes: '40000000' }],
    });
  });

  test('has the strictest of its addresses, in whatever order they came, and a record for each change', async () => {
    const world = await openWorld();
    const earner = await world.earner(MB);
    const verdicts = [];
    for (const address of [HOME, VPN, HOME, SERVER, VPN, HOME]) {
      verdicts.push((await world.seen(earner, address))?.reason);
      world.restart();
    }
    expect(verdicts).toEqual([
      null,
      'address-vpn-or-proxy',
      'address-vpn-or-proxy',
      'address-hosting',
      'address-hosting',
      'address-hosting',
    ]);
    expect((await world.audits(earner.sessionId)).rows.map(({ reason }) => reason)).toEqual([
      'address-hosting',
      'address-vpn-or-proxy',
    ]);
  });

  test('seen by many processes at once, from two addresses, has the stricter and a record for each change', async () => {
    const world = await openWorld();
    const processes = Array.from({ length: 8 }, () => world.restart());
    const seen = (earner: { sessionId: SessionId; personId: string }, addressOf: (n: number) => string) =>
      Promise.all(
        processes.map((one, n) =>
          one.seen({
            sessionId: earner.sessionId,
            personId: earner.personId,
            address: addressOf(n),
            now: world.now(),
          }),
        ),
      );
    // Each has read the settings, and the pool has its connections: what follows is at once.
    await seen(await world.earner(MB), () => HOME);
    for (let round = 0; round < 20; round++) {
      const earner = await world.earner(MB);
      await seen(earner, (n) => (n % 2 ? SERVER : VPN));
      expect(await world.sessionOf(earner.sessionId)).toMatchObject({
        verdict: 'unpaid',
        reason: 'address-hosting',
      });
      const changes = (await world.audits(earner.sessionId)).rows.map(({ verdict }) => verdict);
      expect([['unpaid'], ['unpaid', 'review']]).toContainEqual(changes);
    }
  });

  test('in review for old data is paid once the same address is seen with data of today', async () => {
    const world = await openWorld();
    const earner = await world.earner(MB);
    world.known.dataAt = new Date(world.now().getTime() - 31 * DAY_MS);
    expect(await world.seen(earner, HOME)).toEqual({ verdict: 'review', reason: 'address-data-old' });
    expect(await earnOps.alarms(world.pool, world.now())).toEqual([
      expect.objectContaining({
        alarm: 'address-data-old',
        says: expect.stringContaining('1 open sessions'),
      }),
    ]);
    await world.meter([earner.sessionId]);
    expect(await world.dayOf(earner.sessionId, earner.day)).toMatchObject({ verdict: 'review' });
    world.known.dataAt = world.now();
    expect(await world.seen(earner, HOME)).toEqual({ verdict: 'pay', reason: null });
    expect(await earnOps.alarms(world.pool, world.now())).toEqual([]);
    await world.meter([earner.sessionId]);
    expect(await world.dayOf(earner.sessionId, earner.day)).toMatchObject({ verdict: 'pay', unpaid: [] });
    expect((await world.audits()).rows.map(({ verdict }) => verdict)).toEqual(['pay', 'review']);
  });

  test('that ended while the data was old is assessed anew with newer data, as long as its days are open', async () => {
    const world = await openWorld();
    const today = world.now();
    const [home, server, closed] = [await world.earner(MB), await world.earner(MB), await world.earner(MB)];
    // Another process has seen the first one, and knows of it that it was paid.
    const other = world.restart();
    await other.seen({ ...home, address: HOME, now: today });
    world.restart();
    world.known.dataAt = new Date(today.getTime() - 31 * DAY_MS);
    await world.seen(home, HOME);
    await world.seen(server, SERVER);
    expect(await world.reassess()).toBe(0);
    world.known.dataAt = today;
    expect(await other.reassess(today)).toBe(2);
    expect(await world.sessionOf(home.sessionId)).toMatchObject({ verdict: 'pay', reason: null });
    expect(await world.sessionOf(server.sessionId)).toMatchObject({ reason: 'address-hosting' });
    expect(await other.reassess(today)).toBe(0);
    // One of six days ago is staff's to decide.
    world.known.dataAt = new Date(today.getTime() - 31 * DAY_MS);
    await world.seen(closed, HOME);
    await world.forward(6 * DAY_MS);
    world.known.dataAt = world.now();
    expect(await world.reassess()).toBe(0);
  });

  test('of another, or of nobody, is not there', async () => {
    const world = await openWorld();
    const earner = await world.earner(MB);
    expect(await world.seen({ ...earner, personId: randomUUID() }, SERVER)).toBeNull();
    expect(await world.seen({ ...earner, sessionId: SessionId.parse(randomUUID()) }, SERVER)).toBeNull();
    expect(await world.sessionOf(earner.sessionId)).toMatchObject({ verdict: 'pay' });
  });

  test('from a hundred and more addresses keeps a hundred, and still becomes unpaid', async () => {
    const world = await openWorld();
    const earner = await world.earner(MB);
    for (let n = 0; n < 105; n++) {
      world.known.facts[`10.0.0.${n}`] = { isVpn: true };
      await world.seen(earner, `10.0.0.${n}`);
    }
    expect(await rowsOf(world, 'session_address')).toBe(100);
    expect(await world.seen(earner, SERVER)).toMatchObject({ verdict: 'unpaid' });
  });

  test('the project says what becomes of a class', async () => {
    const world = await openWorld({
      require_counterpart: 'pay',
      address_hosting: 'pay',
      address_mobile: 'review',
    });
    const earner = await world.earner(MB);
    expect(await world.seen(earner, SERVER)).toEqual({ verdict: 'pay', reason: null });
    expect(await world.seen(earner, PHONE)).toEqual({ verdict: 'review', reason: 'address-mobile' });
  });
});

test('300 phones behind one mobile address are all paid', async () => {
  const world = await openWorld();
  const earners = [];
  for (let n = 0; n < 300; n++) {
    const personId = randomUUID();
    earners.push({ personId, sessionId: await world.start(personId) });
  }
  await world.forward(MINUTE_MS);
  for (const earner of earners) {
    expect(await world.seen(earner, PHONE)).toEqual({ verdict: 'pay', reason: null });
    await world.sessions.report({ ...earner, reports: [world.said(0, MB)] });
  }
  await world.meter(earners.map(({ sessionId }) => sessionId));
  const day = world.today();
  await world.untilClosable();
  expect(await world.days.close(day, null)).toEqual({ people: 300, next: null });
  expect(await world.transfers()).toHaveLength(300);
});

describe('what is kept of addresses', () => {
  test('is a page at a time, of one session or of all', async () => {
    const world = await openWorld();
    const earners = [await world.earner(MB), await world.earner(MB), await world.earner(MB)];
    for (const earner of earners) await world.seen(earner, SERVER);
    const first = await world.audits(null, { limit: 2, after: null });
    expect(first.rows.map(({ sessionId }) => sessionId)).toEqual([
      earners[2]?.sessionId,
      earners[1]?.sessionId,
    ]);
    const rest = await world.audits(null, { limit: 2, after: first.next });
    expect([rest.rows.map(({ sessionId }) => sessionId), rest.next]).toEqual([[earners[0]?.sessionId], null]);
  });

  test('leaves after 40 and 90 days, and not before, whoever asks', async () => {
    const world = await openWorld();
    await world.seen(await world.earner(MB), SERVER);
    const retire = async (table: string) =>
      (await world.pool.query(`select from ${table}_retire('infinity', 10)`)).rowCount;
    expect([await retire('session_address'), await retire('filter_audit')]).toEqual([0, 0]);
    await world.forward(41 * DAY_MS);
    expect([await retire('session_address'), await retire('filter_audit')]).toEqual([1, 0]);
    await world.forward(50 * DAY_MS);
    expect(await retire('filter_audit')).toBe(1);
  });

  test('is forgotten with the person: the change stays, the address does not', async () => {
    const world = await openWorld();
    const [earner, other] = [await world.earner(MB), await world.earner(MB)];
    for (const one of [earner, other]) await world.seen(one, SERVER);
    await world.pool.query('select filter_audit_forget($1, $2)', [world.projectId, earner.personId]);
    expect(
      (await world.audits()).rows.map(({ address, evidence, reason }) => [
        address,
        evidence === null,
        reason,
      ]),
    ).toEqual([
      [SERVER, false, 'address-hosting'],
      [null, true, 'address-hosting'],
    ]);
    expect(await rowsOf(world, 'session_address')).toBe(1);
  });

  test('is not changed by the role of every process', async () => {
    const world = await openWorld();
    await world.seen(await world.earner(MB), SERVER);
    for (const sql of [
      `update filter_audit set verdict = 'pay'`,
      'delete from filter_audit',
      `insert into session_address select * from session_address`,
      `update traffic_session set verdict = 'pay', reason = null`,
    ])
      await expect(world.pool.query(sql), sql).rejects.toMatchObject({ code: '42501' });
  });
});

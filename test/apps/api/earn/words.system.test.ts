import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROMO_TRIES_PER_PERSON_PER_HOUR } from '../../../../domain/earn/promo/promo.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { StaffRole } from '../../../../domain/staff/role.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { insertStaffSession, makeStaff } from '../../../rules/policy/roles.ts';
import type { World } from '../../../rules/policy/world.ts';
import { eventually } from '../../../support/eventually.ts';
import { openEarners, typeOf } from '../pay/earner.ts';

let world: Awaited<ReturnType<typeof openEarners>>;
let policy: World;
beforeAll(async () => {
  world = await openEarners(['api', 'worker'], {
    NAVBAT_PRODUCTS: 'verify,message,pay,earn',
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
  });
  policy = { ...world.navbat, hash: keyedHash(world.navbat.env['PEPPER'] ?? '') } as unknown as World;
});
afterAll(() => world?.navbat.stop());

/** A member of staff, with a bearer token. */
const staff = async (role: StaffRole) => {
  const staffId = await makeStaff(policy, role);
  const { token } = await insertStaffSession(policy, { staffId, extent: 'full', via: 'bearer' });
  return async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(world.navbat.apiUrl + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: answer.status,
      etag: answer.headers.get('etag') ?? '',
      body: JSON.parse(await answer.text()),
    };
  };
};

describe('support', () => {
  test('is asked, answered by staff, told in the person’s chat, and replied to', async () => {
    const [who, desk] = [await world.earner(), await staff('operator')];
    const asked = await who.call('POST', '/api/support', {
      body: { subject: 'Unpaid', text: 'Why was I not paid?', locale: 'en' },
    });
    expect(asked).toMatchObject({ status: 201, body: { state: 'open', locale: 'en', messages: 1 } });
    const { id } = asked.body;
    expect((await desk('GET', '/api/admin/support')).body.data).toContainEqual(
      expect.objectContaining({ id, person_id: who.personId }),
    );
    const answered = await desk('POST', `/api/admin/support/${id}/answer`, { text: 'Because.' });
    expect(answered).toMatchObject({ status: 200, body: { state: 'answered', told: 'telegram' } });
    await eventually(async () => {
      const { rows } = await world.navbat.db.query(
        `select b.content ->> 'text' said, j.state from broadcast b join job j on j.subject_id = b.id
         where b.content ->> 'text' like '%Unpaid%'`,
      );
      expect(rows).toEqual([
        { said: 'Support answered your request “Unpaid”:\n\nBecause.', state: 'completed' },
      ]);
    });
    const reply = await who.call('POST', `/api/support/${id}/reply`, { body: { text: 'I see.' } });
    expect(reply).toMatchObject({ status: 200, body: { state: 'open', messages: 3 } });
    const shown = await who.call('GET', `/api/support/${id}`);
    expect(shown.body.thread.map((one: { from: string }) => one.from)).toEqual([
      'person',
      'support',
      'person',
    ]);
    // A person does not learn who of the staff it was.
    expect(JSON.stringify(shown.body)).not.toContain('@');
    expect((await desk('GET', `/api/admin/support/${id}`)).body.thread[1].by).toContain('@');
    expect((await who.call('POST', `/api/support/${id}/close`)).body.state).toBe('closed');
    const { data } = (await who.call('GET', '/api/support')).body;
    expect(data).toMatchObject([{ id, state: 'closed' }]);
  });

  test('of another is told what one of nobody is, byte by byte', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const { id } = (await who.call('POST', '/api/support', { body: { subject: 'Mine', text: 'Mine' } })).body;
    for (const ask of [
      (of: string) => other.call('GET', `/api/support/${of}`),
      (of: string) => other.call('POST', `/api/support/${of}/reply`, { body: { text: 'Hello' } }),
      (of: string) => other.call('POST', `/api/support/${of}/close`),
    ]) {
      expect(await ask(id)).toEqual(await ask(randomUUID()));
      expect((await ask(id)).status).toBe(404);
    }
  });

  test('takes no number of a card, and says which field had it', async () => {
    const who = await world.earner();
    const answer = await who.call('POST', '/api/support', {
      body: { subject: 'My card', text: 'It is 8600 0000 0000 0007.' },
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toContain('/text');
  });
});

describe('news', () => {
  test('is written, published once as it was read, told, and read in the person’s language', async () => {
    const [who, editor] = [await world.earner(), await staff('operator')];
    const title = `Narx ${randomUUID()}`;
    const draft = await editor('POST', '/api/admin/news', {
      words: { uz: { title, text: 'Shanba kuni 2 so‘m.' } },
    });
    expect(draft).toMatchObject({ status: 201, etag: '"1"', body: { state: 'draft', category: 'service' } });
    const { id } = draft.body;
    expect((await who.call('GET', `/api/news/${id}`)).status).toBe(404);
    const publish = (etag: string) =>
      editor('POST', `/api/admin/news/${id}/publish`, undefined, { 'If-Match': etag });
    const words = {
      uz: { title, text: 'Shanba kuni 2 so‘m.' },
      en: { title: 'Price', text: 'On Saturday 2 UZS.' },
    };
    const changed = await editor('PUT', `/api/admin/news/${id}`, { words }, { 'If-Match': draft.etag });
    expect(changed).toMatchObject({ status: 200, etag: '"2"' });
    expect(typeOf(await publish(draft.etag))).toBe('version-stale');
    expect(await publish(changed.etag)).toMatchObject({ status: 200, body: { state: 'published' } });
    expect(await publish(changed.etag)).toMatchObject({ status: 200, body: { state: 'published' } });
    expect((await who.call('GET', '/api/news')).body.data).toContainEqual(
      expect.objectContaining({ id, locale: 'uz', title }),
    );
    expect((await who.call('GET', `/api/news/${id}?locale=en`)).body).toMatchObject({ title: 'Price' });
    await eventually(async () => {
      const { rows } = await world.navbat.db.query(
        `select count(*)::int n from broadcast b join job j on j.subject_id = b.id
         where b.content ->> 'text' like $1 || '%' and j.payload ->> 'recipient_id' in (select id::text from recipient where person_id = $2)
           and j.state = 'completed'`,
        [title, who.personId],
      );
      expect(rows).toEqual([{ n: 1 }]);
    });
  });

  test('of a category that the project does not have is refused, with those that it has', async () => {
    const editor = await staff('admin');
    const words = { en: { title: 'News', text: 'There are some.' } };
    const answer = await editor('POST', '/api/admin/news', { words, category: 'gossip' });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toContain('service, account, marketing');
  });

  test.each(['finance', 'developer', 'viewer'] as const)('is not written by the role %s', async (role) => {
    const words = { en: { title: 'News', text: 'There are some.' } };
    expect(typeOf(await (await staff(role))('POST', '/api/admin/news', { words }))).toBe('role-forbids');
  });
});

describe('a promo code', () => {
  const inADay = () => new Date(Date.now() + 86_400_000).toISOString();
  const newText = () => `P${randomUUID().slice(0, 8).toUpperCase()}`;

  test('is made by finance, by two of them where it is large, and redeemed into the balance', async () => {
    const [first, second] = [await staff('finance'), await staff('admin')];
    const code = newText();
    const body = { code, amount: '60000000', budget: '120000000', valid_to: inADay() };
    const asked = await first('POST', '/api/admin/promo', body);
    expect(asked).toMatchObject({ status: 202, body: { state: 'asked', uses_max: 2, budget: '120000000' } });
    const who = await world.earner(100n);
    const redeem = (text: string) => who.call('POST', '/api/news/promo', { body: { code: text } });
    // What waits for a second person and what there is not are told alike.
    const [waiting, none] = [await redeem(code), await redeem(newText())];
    expect(typeOf(waiting)).toBe('promo-unknown');
    expect(waiting).toEqual(none);
    const agree = (by: typeof first) => by('POST', `/api/admin/promo/${asked.body.id}/agree`);
    expect(typeOf(await agree(first))).toBe('own-promo');
    expect((await agree(second)).body.state).toBe('active');
    expect(await redeem(code.toLowerCase())).toMatchObject({
      status: 200,
      body: { amount: '60000000', owed: '0', repeated: false },
    });
    expect((await redeem(code)).body.repeated).toBe(true);
    expect(await who.balance()).toMatchObject({ available: '60000100' });
    expect((await who.call('GET', '/api/news/promo')).body.data).toMatchObject([{ promo: code }]);
    expect((await first('GET', '/api/admin/promo?state=active')).body.data).toContainEqual(
      expect.objectContaining({ promo: code, uses: 1 }),
    );
    expect((await second('POST', `/api/admin/promo/${asked.body.id}/end`)).body.state).toBe('ended');
    expect(typeOf(await (await world.earner()).call('POST', '/api/news/promo', { body: { code } }))).toBe(
      'promo-ended',
    );
  });

  test('is tried a few times in an hour by one person, and others are not held up', async () => {
    const [guesser, other] = [await world.earner(), await world.earner()];
    const guess = (who: typeof guesser) => who.call('POST', '/api/news/promo', { body: { code: newText() } });
    for (let n = 0; n < PROMO_TRIES_PER_PERSON_PER_HOUR; n++)
      expect(typeOf(await guess(guesser))).toBe('promo-unknown');
    const full = await guess(guesser);
    expect([full.status, typeOf(full)]).toEqual([429, 'quota-exceeded']);
    expect(Number(full.retryAfter)).toBeGreaterThan(60);
    expect(typeOf(await guess(other))).toBe('promo-unknown');
  });

  test.each<[object, string]>([
    [{ uses_max: 1, budget: '100' }, '/uses_max'],
    [{}, '/uses_max'],
    [{ budget: '99' }, '/budget'],
    [{ code: '123456', uses_max: 1 }, '/code'],
    [{ code: 'A8600000000000007', uses_max: 1 }, '/code'],
    [{ amount: '100000001', uses_max: 1 }, '/amount'],
  ])('of %j is refused at its field', async (wrong, pointer) => {
    const finance = await staff('finance');
    const body = { code: newText(), amount: '100', valid_to: inADay(), ...wrong };
    const answer = await finance('POST', '/api/admin/promo', body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toContain(pointer);
  });

  test.each(['operator', 'developer', 'viewer'] as const)('is not made by the role %s', async (role) => {
    const body = { code: newText(), amount: '100', uses_max: 1, valid_to: inADay() };
    expect(typeOf(await (await staff(role))('POST', '/api/admin/promo', body))).toBe('role-forbids');
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Multicard, startMulticard } from '../../../../apps/sandbox/pay/multicard/start-multicard.ts';
import { ACCOUNT } from '../../sandbox/pay/multicard-world.ts';
import { openEarners, typeOf } from './earner.ts';

let box: Multicard;
let directory: string;
let world: Awaited<ReturnType<typeof openEarners>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cards-'));
  box = await startMulticard({ port: 0, account: ACCOUNT, directory });
  world = await openEarners(['api'], {
    MULTICARD_APPLICATION_ID: ACCOUNT.applicationId,
    MULTICARD_SECRET: ACCOUNT.secret,
    MULTICARD_STORE_ID: ACCOUNT.storeId,
    MULTICARD_API_URL: box.url,
  });
});
afterAll(async () => {
  await world.navbat.stop();
  await box.close();
  await rm(directory, { recursive: true });
});

type Earner = Awaited<ReturnType<typeof world.earner>>;
const cards = async (who: Earner) => (await who.call('GET', '/api/profile/destinations')).body.data;
const begin = (who: Earner, body: object = { return_to: 'https://app.example/cards' }) =>
  who.call('POST', '/api/profile/destinations', { body });
const formsAtRail = async () =>
  ((await (await fetch(`${box.url}/control/bindings`)).json()) as unknown[]).length;
const type = (formUrl: string, pan = '9860 1234 5678 9012') =>
  fetch(formUrl, {
    method: 'POST',
    body: new URLSearchParams({ pan, holder_name: 'AZIZA KARIMOVA' }),
    redirect: 'manual',
  });

test('a person binds a card on the form of the rail, goes back to their app, and has it once', async () => {
  const who = await world.earner();
  const { status, body } = await begin(who);
  expect([status, Object.keys(body)]).toEqual([201, ['form_url']]);
  const back = await type(body.form_url);
  expect(back.headers.get('location')).toBe('https://app.example/cards');
  const both = await Promise.all([cards(who), cards(who), cards(who)]);
  for (const list of both)
    expect(list.map(({ last4 }: { last4: string }) => last4)).toEqual(['4321', '9012']);
  const [, made] = await cards(who);
  expect(new Date(made.usable_from).getTime() - new Date(made.made_at).getTime()).toBe(86_400_000);
  expect(typeOf(await who.withdraw('2000000', 'k', made.id))).toBe('destination-new');
  const { rows } = await world.navbat.db.query(
    `select person_id, phone, holder_name::text, token_encrypted from payout_destination where last4 = '9012'`,
  );
  expect(rows).toMatchObject([{ person_id: who.personId, phone: null, holder_name: 'AZIZA KARIMOVA' }]);
  expect(world.navbat.log.join('\n')).not.toMatch(/9860\D?1234/);
});

test('the callback of the rail binds it, where nobody comes back', async () => {
  const who = await world.earner();
  await type((await begin(who)).body.form_url, '9860 1111 2222 3334');
  await expect
    .poll(async () => {
      const { rows } = await world.navbat.db.query(
        'select last4 from payout_destination where person_id = $1 order by made_at',
        [who.personId],
      );
      return rows.map(({ last4 }) => last4);
    })
    .toEqual(['4321', '3334']);
});

test('an eleventh form within an hour is 429, also of many at once; a way back that is no address of the web is 400', async () => {
  const who = await world.earner();
  const before = await formsAtRail();
  const opened = await Promise.all(Array.from({ length: 15 }, async () => (await begin(who, {})).status));
  const countOf = (status: number) => opened.filter((one) => one === status).length;
  expect([countOf(201), countOf(429)]).toEqual([10, 5]);
  // What is refused costs nothing.
  expect((await formsAtRail()) - before).toBe(10);
  for (const return_to of ['javascript:alert(1)', 'cards', 'file:///etc/passwd'])
    expect((await begin(who, { return_to })).body.errors[0].pointer).toBe('/return_to');
});

import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoutes } from '../../../../apps/api/project/projects.routes.ts';
import { usageReader } from '../../../../infra/postgres/project/usage.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../../support/api.ts';

let ground: Ground;
let api: TestApi;
let shop: Awaited<ReturnType<typeof makeProject>>;

beforeAll(async () => {
  ground = await openGround();
  api = openApi(ground, projectRoutes(ground.projects, usageReader(ground.pool)));
  shop = await makeProject(ground, 'clickshop', { display_name: 'Click Pay' });
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const name = ({ project, key }: typeof shop, display_name: string | null) =>
  request(api.app)
    .patch(`/projects/${project.id}`)
    .set('Authorization', `Bearer ${key}`)
    .send({ settings: { display_name } });

test.for([
  'Navbat',
  'NAVBAT',
  'n a v b a t',
  'Nav-bat',
  'Navbat Support',
  'The Navbat team',
  'Nаvbаt',
  'ΝΑVBΑΤ',
  'Návbat',
  'Ｎａｖｂａｔ',
  '𝐍𝐚𝐯𝐛𝐚𝐭',
  'N4vb4t',
  'Навбат',
  'НАВБАТ',
  '...',
  'Nauбat',
  'ИAVBAT',
  'NAVБAT',
  'Nav6at',
  // Other letters than those of the three alphabets: Lisu, Cherokee, Armenian.
  'ꓠꓮꓦꓐꓮꓔ',
  'Ꮑavbat',
  'Րay',
  // Two alphabets in one word, whoever it is taken for.
  'Paymе Бank',
  'Φinance',
])('%s reads as Navbat’s own, and no key takes it', async (text) => {
  const thief = await makeProject(ground, `thief-${crypto.randomUUID().slice(0, 8)}`);
  const { body } = await name(thief, text).expect(422);
  expect(body).toMatchObject({
    type: 'urn:navbat:problem:name-reserved',
    errors: [{ pointer: '/settings/display_name' }],
  });
  expect(body.detail).toContain('staff of Navbat');
});

test.for([
  'Click Pay',
  'click pay',
  'CLICKPAY',
  'C1ick-Pay',
  'CIick Pay',
  'Сlісk Рау',
  'Сӏіск Рау',
  'clickshop',
  'Click  Shop',
  'Dick Pay',
])('%s reads as another project’s', async (text) => {
  const thief = await makeProject(ground, `thief-${crypto.randomUUID().slice(0, 8)}`);
  await name(thief, text).expect(422);
  expect((await ground.projects.find(thief.project.id))?.settings.display_name).toBeUndefined();
});

test.for(['Oʻzbekiston banki', 'Ўзбекистон банки', 'Click Сервис', 'Ελλάς 24', 'Café №1', 'Oʼqi 4U'])(
  '%s is of one alphabet a word, and taken',
  async (text) => {
    const honest = await makeProject(ground, `honest-${crypto.randomUUID().slice(0, 8)}`);
    await name(honest, text).expect(200);
  },
);

test('its own name may be written otherwise, a name given up is free, and staff give what looks alike', async () => {
  await name(shop, 'CLICK pay').expect(200);
  await name(shop, 'Clickshop').expect(200);
  const heir = await makeProject(ground, 'heir');
  await name(heir, 'Click Pay').expect(200);
  await name(shop, 'Click Pay').expect(422);
  await name(heir, null).expect(200);
  await name(shop, 'Click Pay').expect(200);
  const how = { lookAlike: true };
  const given = await ground.projects.changeSettings(heir.project.id, { display_name: 'Navbat Bank' }, how);
  expect(given.changed).toBe(true);
  // What staff gave stays when other settings change.
  await name(heir, 'Navbat Bank').expect(200);
});

test('a name of two alphabets that staff gave is kept from all others, and what its project had is free', async () => {
  const bank = await makeProject(ground, `bank-${crypto.randomUUID().slice(0, 8)}`);
  await name(bank, 'Orient Finans').expect(200);
  const given = { display_name: 'Paymе Бank' };
  expect((await ground.projects.changeSettings(bank.project.id, given, { lookAlike: true })).changed).toBe(
    true,
  );
  const other = await makeProject(ground, `other-${crypto.randomUUID().slice(0, 8)}`);
  await name(other, 'Payme Bank').expect(422);
  await name(other, 'Orient Finans').expect(200);
});

test('of ten projects that ask for one look at once, one has it', async () => {
  const spellings = [
    'Payme',
    'PAYME',
    'Рауме',
    'Pаyme',
    'Pay me',
    'payme',
    'Páyme',
    'Pay-me',
    'рayme',
    'PayMe',
  ];
  const projects = await Promise.all(spellings.map((_, n) => makeProject(ground, `racer-${n}x`)));
  const answers = await Promise.all(projects.map((project, n) => name(project, spellings[n] ?? '')));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(9);
});

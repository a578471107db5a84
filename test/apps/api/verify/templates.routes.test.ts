import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoutes } from '../../../../apps/api/project/projects.routes.ts';
import { templateRoutes } from '../../../../apps/api/verify/templates.routes.ts';
import { Locale } from '../../../../domain/shared/locale.ts';
import { templateLists, textModeration } from '../../../../infra/postgres/verify/text-moderation.ts';
import { SmsRoutes, type SmsRouting } from '../../../../domain/verify/sms-routes.ts';
import { usageReader } from '../../../../infra/postgres/project/usage.ts';
import {
  type Ground,
  makeKey,
  makeProject,
  openApi,
  openGround,
  type TestApi,
} from '../../../support/api.ts';

const UZBEKISTAN = [
  { provider: 'eskiz', price: '130 UZS' },
  { provider: 'play-mobile', price: '95.5 UZS' },
  { provider: 'twilio', price: '0.35 USD' },
] as const;
const sms: SmsRouting = {
  routes: SmsRoutes.parse([
    { prefix: '+998', providers: UZBEKISTAN },
    { prefix: '', providers: [{ provider: 'twilio', price: '0.35 USD' }] },
  ]),
  uzsPerUsd: 12_000,
  providers: new Set(['eskiz', 'play-mobile']),
};

let ground: Ground;
let api: TestApi;

beforeAll(async () => {
  ground = await openGround();
  const moderation = textModeration(ground.pool, () => new Date());
  api = openApi(ground, [
    ...projectRoutes(ground.projects, usageReader(ground.pool)),
    ...templateRoutes({ projects: ground.projects, sms, moderation, moderated: [] }),
  ]);
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const preview = (key: string, id: string, body: object) =>
  request(api.app).post(`/projects/${id}/templates/preview`).set('X-Api-Key', key).send(body);

interface Text {
  readonly locale: Locale;
  readonly for_payment: boolean;
}
const textIn = (body: { texts: readonly Text[] }, locale: Locale, isForPayment = false) =>
  body.texts.find((text) => text.locale === locale && text.for_payment === isForPayment);

/** Lists are the installation's; what was refused is told to the project that sent it. */
test('each text says whether each provider sends it, what was said of it, and since when', async () => {
  const { project, key } = await makeProject(ground, 'moderated');
  const lists = templateLists(ground.pool, () => new Date());
  await lists.claim('eskiz');
  await lists.keep('eskiz', {
    templates: [
      { template: 'Moderated: %d', status: 'service', isApproved: true },
      { template: 'Kod %d', status: 'inproccess', isApproved: false },
    ],
    unread: 0,
  });
  const templates = { ru: 'Moderated: {code}', uz: 'Kod {code}', en: 'Code {code}' };
  const { project: stranger } = await makeProject(ground, 'stranger');
  const refuse = (projectId: typeof project.id, text: string) =>
    textModeration(ground.pool, () => new Date()).refused(
      { provider: 'play-mobile', projectId, text },
      'no such template',
    );
  await refuse(project.id, 'Code 432187');
  await refuse(stranger.id, 'Kod 432187');
  const other = openApi(ground, [
    ...templateRoutes({
      projects: ground.projects,
      sms,
      moderation: textModeration(ground.pool, () => new Date()),
      moderated: ['eskiz', 'play-mobile'],
    }),
  ]);
  const { body } = await request(other.app)
    .post(`/projects/${project.id}/templates/preview`)
    .set('X-Api-Key', key)
    .send({ settings: { templates } })
    .expect(200);
  await other.close();
  const of = (locale: Locale) =>
    (
      textIn(body, locale) as Text & {
        moderation: { provider: string; state: string; said: string; since: string }[];
      }
    ).moderation;
  expect(of('ru').map(({ state, said }) => [state, said])).toEqual([
    ['approved', 'service'],
    ['unknown', null],
  ]);
  expect(of('uz').map(({ state, said }) => [state, said])).toEqual([
    ['not-approved', 'inproccess'],
    ['unknown', null],
  ]);
  expect(of('en').map(({ state, said }) => [state, said])).toEqual([
    ['not-approved', null],
    ['not-approved', 'no such template'],
  ]);
  expect(Date.now() - Date.parse(of('ru')[0]?.since ?? '')).toBeLessThan(60_000);
});

describe('a preview', () => {
  test('tells of every language what an SMS says, in which alphabet, and as how many it is billed', async () => {
    const { project, key } = await makeProject(ground, 'preview');
    const settings = {
      display_name: 'Do‘kon',
      templates: { ru: '{project}: {code}', uz: '{project} {code} 🙂' },
    };
    const { body } = await preview(key, project.id, { settings }).expect(200);
    expect(body.texts.map(({ locale }: Text) => locale)).toEqual(Locale.options);
    expect(textIn(body, 'ru')).toEqual({
      locale: 'ru',
      for_payment: false,
      own_template: true,
      text: "Do'kon: 123456",
      alphabet: 'gsm',
      length: 14,
      segments: 1,
      ucs2_letters: [],
      longest: { alphabet: 'gsm', length: 16, segments: 1 },
      one_sms: true,
      sms_retriever: null,
      moderation: [],
    });
    expect(textIn(body, 'uz')).toMatchObject({ alphabet: 'ucs-2', length: 16, ucs2_letters: ['🙂'] });
    expect(textIn(body, 'en')).toMatchObject({ own_template: false });
    expect(textIn(body, 'kk')).toMatchObject({
      text: "Do'kon: растау коды 123456, 5 мин. Ешкімге айтпаңыз.",
    });
    expect(body.warnings).toEqual([]);
  });

  test('counts the last line that programs read, and tells whether the app gets it', async () => {
    const { project, key } = await makeProject(ground, 'autofill');
    const settings = { sms_web_origin: 'shop.example', sms_app_hash: 'FA+9qCX9VSu' };
    const { body } = await preview(key, project.id, { settings }).expect(200);
    expect(textIn(body, 'en')).toMatchObject({
      text: expect.stringMatching(/\n@shop\.example #123456 FA\+9qCX9VSu$/),
      one_sms: true,
      sms_retriever: true,
    });
    expect(textIn(body, 'ru')).toMatchObject({ one_sms: false, sms_retriever: false });
  });

  test('warns of what grows to two with the longest values before anything is saved, as the change itself does', async () => {
    const { project, key } = await makeProject(ground, 'grows');
    // 70 with an ordinary code and one digit of minutes, 73 with the longest.
    const settings = { templates: { ru: `{code} {minutes}${'ж'.repeat(62)}` } };
    const { body } = await preview(key, project.id, { settings }).expect(200);
    expect(textIn(body, 'ru')).toMatchObject({
      length: 70,
      segments: 1,
      longest: { length: 73, segments: 2 },
      one_sms: false,
    });
    expect(body.warnings).toMatchObject([{ pointer: '/settings/templates/ru', segments: 2 }]);
    expect((await ground.projects.find(project.id))?.settings.templates).toEqual({});
    const changed = await request(api.app)
      .patch(`/projects/${project.id}`)
      .set('X-Api-Key', key)
      .send({ settings })
      .expect(200);
    expect(changed.body.warnings).toEqual(body.warnings);
  });

  test('starts from what is stored: what is not named stays, and null gives a default back', async () => {
    const stored = { templates: { en: 'Stored {code}' }, sms_web_origin: 'shop.example' };
    const { project, key } = await makeProject(ground, 'stored', stored);
    const said = async (body: object) => {
      const { body: answered } = await preview(key, project.id, body).expect(200);
      return textIn(answered, 'en');
    };
    expect(await said({})).toMatchObject({ text: 'Stored 123456\n@shop.example #123456' });
    expect(await said({ settings: { sms_web_origin: null } })).toMatchObject({ text: 'Stored 123456' });
    expect(await said({ settings: { templates: null } })).toMatchObject({ own_template: false });
  });

  test('has the texts of a payment where one is given', async () => {
    const { project, key } = await makeProject(ground, 'payment');
    const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };
    const settings = { templates: { en: 'Code {code}' } };
    const { body } = await preview(key, project.id, { settings, payment }).expect(200);
    expect(body.texts).toHaveLength(2 * Locale.options.length);
    expect(textIn(body, 'en', true)).toMatchObject({
      text: 'Code 123456 Amount: 150 000.00 UZS. Payee: Korzinka.',
    });
    expect(textIn(body, 'en')).toMatchObject({ text: 'Code 123456' });
  });

  test('tells who would carry an SMS to a number, at what price, by routes that are not saved either', async () => {
    const { project, key } = await makeProject(ground, 'priced');
    const providers = async (body: object) =>
      (await preview(key, project.id, body).expect(200)).body.providers;
    const eskiz = { provider: 'eskiz', price_micros: '130000000', price_currency: 'UZS' };
    const playMobile = { provider: 'play-mobile', price_micros: '95500000', price_currency: 'UZS' };
    const to = '+998 90 123-45-67';
    expect(await providers({ to })).toEqual([eskiz, playMobile]);
    const settings = { sms_routes: [{ prefix: '+99890', providers: ['play-mobile'] }] };
    expect(await providers({ to, settings })).toEqual([playMobile]);
    // Twilio has no account here.
    expect(await providers({ to: '+77011234567' })).toEqual([]);
    expect(await providers({})).toBeNull();
  });

  test('refuses what the change would refuse, by field', async () => {
    const { project, key } = await makeProject(ground, 'refused');
    const settings = { templates: { uz: 'Kod {kode} {code}', de: '{code}' }, sms_web_origin: 'https://a.uz' };
    const { body } = await preview(key, project.id, { settings }).expect(400);
    const faults = body.errors as { pointer: string; detail: string }[];
    expect(faults.map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/settings/templates/uz', '/settings/sms_web_origin']),
    );
    expect(faults.find(({ pointer }) => pointer === '/settings/templates/uz')?.detail).toMatch(
      /^\{kode\} is no variable: expected \{code\}, .* Correct the name/,
    );
  });
});

test('is for the project’s own keys that may read its settings', async () => {
  const { project, key } = await makeProject(ground, 'own');
  const { key: others } = await makeProject(ground, 'others');
  const { key: narrow } = await makeKey(ground, project.id, { scopes: ['otp'] });
  const { key: publishable } = await makeKey(ground, project.id, {
    access: 'publishable',
    scopes: ['public'],
  });
  await preview(key, project.id, {}).expect(200);
  await preview(others, project.id, {}).expect(404);
  await preview(narrow, project.id, {}).expect(403);
  await preview(publishable, project.id, {}).expect(403);
});

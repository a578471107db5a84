import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Locale } from '../../../domain/shared/locale.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';
import { newNumber } from '../../support/platform.ts';

/** What a preview says is what a person reads. */

let navbat: Navbat;
let asker: TestProject;

beforeAll(async () => {
  navbat = await startNavbat();
  asker = await navbat.createProject();
});
afterAll(() => navbat.stop());

/** The last SMS to a number, with its own code where the preview has its example. */
async function smsTo(number: string): Promise<string> {
  const { text } = await navbat.sandbox.waitForMessage({ to: number });
  const code = /\b\d{6}\b/.exec(text)?.[0];
  expect(code, text).toBeDefined();
  return text.replaceAll(String(code), '123456');
}

async function sent(project: TestProject, body: object): Promise<string> {
  const to = newNumber();
  const answer = await project.call('POST', '/otp/send', { to, channels: ['sms'], ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return smsTo(to);
}

/** Park and Miller's generator: the same cases in every run. */
function casesFrom(seed: number) {
  let state = seed;
  const below = (n: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  return { below, pick };
}

const words = ['kod', 'код', 'o‘zingiz', '🙂', '€', '\n', '{', 'ҳеч', '@evil.example', "don't", '()'];
const variables = ['{project}', '{minutes}', '{amount}', '{payee}', '{code}'];

function randomCase(seed: number) {
  const { below, pick } = casesFrom(seed);
  const locale = pick(Locale.options);
  const parts = Array.from({ length: below(12) }, () => pick([...words, ...variables]));
  parts.splice(below(parts.length + 1), 0, '{code}');
  const settings = {
    display_name: pick(['Shop', 'Дўкон', 'Ta‘lim']),
    ...(below(4) === 0 ? {} : { templates: { [locale]: parts.join(' ') } }),
    ...(below(2) === 0 ? {} : { sms_web_origin: 'shop.example' }),
    ...(below(2) === 0 ? {} : { sms_app_hash: 'FA+9qCX9VSu' }),
  };
  const payment = {
    amount: String(1 + below(1_000_000)),
    currency: 'UZS',
    payee: pick(['Korzinka', 'Дўкон']),
  };
  return { locale, settings, payment: below(2) === 0 ? null : payment };
}

describe('a preview', () => {
  test.each(Array.from({ length: 16 }, (_, n) => n + 1))(
    'says what is then sent, whatever the settings (case %i)',
    async (n) => {
      const { locale, settings, payment } = randomCase(n * 7_919);
      const paid = payment ? { payment } : {};
      const { body } = await asker.call('POST', `/projects/${asker.id}/templates/preview`, {
        settings,
        ...paid,
      });
      const previewed = body.texts.find(
        (text: { locale: string; for_payment: boolean }) =>
          text.locale === locale && text.for_payment === (payment !== null),
      );
      const project = await navbat.createProject({ settings });
      expect(await sent(project, { locale, ...paid })).toBe(previewed.text);
    },
  );
});

test('a person is written to in the language that their project noted, by SMS with the line for programs and by Telegram without', async () => {
  const settings = { display_name: 'Shop', sms_web_origin: 'shop.example', sms_app_hash: 'FA+9qCX9VSu' };
  const project = await navbat.createProject({ settings });
  const phone = newNumber();
  const put = await project.call('PUT', '/recipients', { phone, telegram_chat_id: 7_701, locale: 'kk' });
  expect(put).toMatchObject({ status: 201, body: { locale: 'kk' } });
  const text = 'Shop: растау коды 123456, 5 мин. Ешкімге айтпаңыз.';

  await project.call('POST', '/otp/send', { to: put.body.id, channels: ['telegram'], purpose: 'a' });
  expect(await smsTo('7701')).toBe(text);
  await project.call('POST', '/otp/send', { to: phone, channels: ['sms'], purpose: 'b' });
  expect(await smsTo(phone)).toBe(`${text}\n@shop.example #123456 FA+9qCX9VSu`);
});

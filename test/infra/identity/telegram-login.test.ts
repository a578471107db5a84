import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { telegramLogin } from '../../../infra/identity/telegram-login.ts';

/** Published with the Login widget's own example token, as aiogram's tests have it. */
const widget = {
  token: '123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11',
  text: 'id=42&first_name=John&last_name=Smith&username=username&photo_url=https%3A%2F%2Ft.me%2Fi%2Fuserpic%2F320%2Fpicname.jpg&auth_date=1565810688&hash=c303db2b5a06fe41d23a9b14f7c545cfc11dcc7473c07c9c5034ae60062461ce',
  authSeconds: 1_565_810_688,
  telegramId: 42,
};
/** Published by the Telegram Mini Apps project, before and after Telegram added `signature`. */
const miniApp = {
  token: '5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8',
  text: 'query_id=AAHdF6IQAAAAAN0XohDhrOrc&user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%7D&auth_date=1662771648&hash=c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2',
  authSeconds: 1_662_771_648,
  telegramId: 279_058_397,
};
const miniAppWithSignature = {
  token: '7342037359:AAHI25ES9xCOMPokpYoz-p8XVrZUdygo2J4',
  text: 'user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&auth_date=1733509682&signature=TYJxVcisqbWjtodPepiJ6ghziUL94-KNpG8Pau-X7oNNLNBM72APCpi_RKiUlBvcqo5L-LAxIc3dnTzcZX_PDg&hash=a433d8f9847bd6addcc563bff7cc82c89e97ea0d90c11fe5729cae6796a36d73',
  authSeconds: 1_733_509_682,
  telegramId: 279_058_397,
};
const vectors = { widget, 'mini app': miniApp, 'mini app with a signature': miniAppWithSignature };
const secondsAfter = (authSeconds: number, seconds: number) => new Date((authSeconds + seconds) * 1_000);

describe.each(Object.entries(vectors))(
  'the public vector: %s',
  (_name, { token, text, authSeconds, telegramId }) => {
    const read = telegramLogin(token);

    test('is Telegram’s, for five minutes and no second longer', () => {
      expect(read(text, secondsAfter(authSeconds, 0))).toMatchObject({ signed: true, telegramId });
      expect(read(text, secondsAfter(authSeconds, 300))).toMatchObject({ signed: true, telegramId });
      expect(read(text, secondsAfter(authSeconds, 301))).toEqual({ signed: false, reason: 'stale' });
    });

    test('is nobody’s from further ahead than two clocks differ', () => {
      expect(read(text, secondsAfter(authSeconds, -60))).toMatchObject({ signed: true });
      expect(read(text, secondsAfter(authSeconds, -61))).toEqual({ signed: false, reason: 'stale' });
    });

    test('says nothing once any field is changed, added or left out', () => {
      const fields = [...new URLSearchParams(text)].filter(([name]) => name !== 'hash');
      const hash = new URLSearchParams(text).get('hash') ?? '';
      const again = (pairs: [string, string][]) =>
        read(new URLSearchParams([...pairs, ['hash', hash]]).toString(), secondsAfter(authSeconds, 0));
      expect(again(fields)).toMatchObject({ signed: true });
      for (const [index, [name = '', value = '']] of fields.entries()) {
        expect(again(fields.with(index, [name, `${value}0`])), name).toEqual({
          signed: false,
          reason: 'signature',
        });
        expect(again(fields.toSpliced(index, 1)), name).toEqual({ signed: false, reason: 'signature' });
      }
      expect(again([...fields, ['more', '1']])).toEqual({ signed: false, reason: 'signature' });
    });

    test('says nothing for another bot', () => {
      expect(telegramLogin('1:other')(text, secondsAfter(authSeconds, 0))).toEqual({
        signed: false,
        reason: 'signature',
      });
    });
  },
);

describe('what is not in Telegram’s form', () => {
  const { token, text, authSeconds } = widget;
  const read = (data: string) => telegramLogin(token)(data, secondsAfter(authSeconds, 0));

  test.each([
    '',
    'hash',
    'hash=abc',
    text.replace(/hash=\w+/, 'hash='),
    `${text}0`,
    text.replace(/&hash=\w+/, ''),
  ])('%# is malformed', (data) => expect(read(data)).toEqual({ signed: false, reason: 'malformed' }));

  test('a field that comes twice is malformed, whichever of the two was signed', () => {
    expect(read(`${text}&id=43`)).toEqual({ signed: false, reason: 'malformed' });
    expect(read(`id=43&${text}`)).toEqual({ signed: false, reason: 'malformed' });
  });

  test('a line break makes no two fields of one', () => {
    const lines = ['auth_date=1565810688', 'first_name=X\nid=1\nj=', 'id=42'];
    const key = createHash('sha256').update(token).digest();
    const hash = createHmac('sha256', key).update(lines.join('\n')).digest('hex');
    const moved = { auth_date: '1565810688', first_name: 'X', id: '1', j: '\nid=42', hash };
    expect(read(new URLSearchParams(moved).toString())).toEqual({ signed: false, reason: 'malformed' });
  });

  test('a widget’s key signs no Mini App’s data, nor the other way round', () => {
    const user = ['auth_date=1565810688', 'user={"id":42}'];
    const widgetKey = createHash('sha256').update(token).digest();
    const hash = createHmac('sha256', widgetKey).update(user.join('\n')).digest('hex');
    expect(read(new URLSearchParams(`${user.join('&')}&hash=${hash}`).toString())).toEqual({
      signed: false,
      reason: 'signature',
    });
  });
});

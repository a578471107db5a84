import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyedHash } from '../../../infra/process/crypto.ts';
import {
  codeSentTo,
  type Navbat,
  startNavbat,
  type TestProject,
  until,
  wrongCode,
} from '../../support/navbat.ts';

const SLUG = 'school';
let navbat: Navbat;
let project: TestProject;
let bot: ChildProcess;
let nextPerson = 5_000;

beforeAll(async () => {
  navbat = await startNavbat({ env: { TELEGRAM_CHAT_GAP_MS: '1', BOT_PROJECT: SLUG } });
  project = await navbat.createProject({
    settings: { display_name: 'Alif' },
    scopes: ['register', 'otp', 'recipients'],
  });
  await navbat.db.query('update project set slug = $2 where id = $1', [project.id, SLUG]);
  bot = await startBot();
});
afterAll(() => navbat.stop());

const startBot = () => navbat.start('apps/bot/main.ts', [], 'bot ready');

/** Somebody at the other end of Telegram. */
function newPerson(languageCode = 'uz') {
  const id = nextPerson++;
  const act = async (action: object): Promise<void> => {
    const { status } = await fetch(`${navbat.sandbox.url}/telegram/updates`, {
      method: 'POST',
      body: JSON.stringify({ chat_id: id, language_code: languageCode, ...action }),
    });
    expect(status).toBe(201);
  };
  const heard = () => navbat.sandbox.inbox({ to: String(id) });
  return {
    id,
    phone: `+99890555${id}`,
    act,
    heard,
    says: (text: string) => act({ text }),
    shares: (phone: string, user_id = id) => act({ contact: { phone_number: phone.slice(1), user_id } }),
    /** The first message that fits, from the n-th on. */
    hears: (words: RegExp, from = 0) =>
      until(async () =>
        heard()
          .slice(from)
          .find(({ text }) => words.test(text)),
      ),
    row: async () =>
      (
        await navbat.db.query('select * from users where project_id = $1 and telegram_id = $2', [
          project.id,
          id,
        ])
      ).rows[0],
  };
}
type Person = ReturnType<typeof newPerson>;

const CODE = /^(Tasdiqlash kodingiz|Ваш код подтверждения|Your confirmation code): (\d{6})$/;

async function codeOf(person: Person, from = 0): Promise<string> {
  return CODE.exec((await person.hears(CODE, from)).text)?.[2] ?? '';
}

async function verified(person = newPerson(), phone = person.phone) {
  await person.says('/start');
  await person.hears(/telefon raqamingizni yuboring/);
  await person.shares(phone);
  await person.says(await codeOf(person));
  await person.hears(/muvaffaqiyatli o‘tdingiz/);
  return person;
}

test('where its project has as many people as it may, a newcomer is told and those who are there are answered', async () => {
  const known = newPerson();
  await known.says('/start');
  await known.hears(/Bu Alif boti/);
  await navbat.db.query(`update project set ceilings = ceilings || '{"people": 0}' where id = $1`, [
    project.id,
  ]);
  try {
    const newcomer = newPerson();
    await newcomer.says('/start');
    await newcomer.hears(/urinib ko‘ring/);
    expect(await newcomer.row()).toBeUndefined();
    await known.says('/help');
    await until(async () => known.heard().length > 1);
    // Its update was done with, and does not come again.
    expect(newcomer.heard()).toHaveLength(1);
  } finally {
    await navbat.db.query(`update project set ceilings = ceilings - 'people' where id = $1`, [project.id]);
  }
});

describe('from /start to verified', () => {
  test('/start asks for the contact by a button, the contact brings a code, the code verifies', async () => {
    const person = newPerson();
    await person.says('/start promo-7');
    const prompt = await person.hears(/Bu Alif boti/);
    expect(prompt.details['reply_markup']).toMatchObject({ keyboard: [[{ request_contact: true }]] });

    await person.shares(person.phone);
    const code = await codeOf(person);
    expect(await person.row()).toMatchObject({ phone_number: person.phone, is_verified: false });

    await person.says(`${code.slice(0, 3)} ${code.slice(3)}`);
    await person.hears(/muvaffaqiyatli o‘tdingiz/);
    expect(await person.row()).toMatchObject({
      is_verified: true,
      phone_proof: 'contact',
      metadata: { start: 'promo-7' },
    });
  });

  test('what the bot began, HTTP ends, and the other way round', async () => {
    const begun = newPerson();
    await begun.says('/start');
    await begun.shares(begun.phone);
    const code = await codeOf(begun);
    const verify = { telegram_id: begun.id, verification_code: code };
    expect(await project.call('POST', '/verify', verify)).toMatchObject({ status: 200 });
    expect(await begun.row()).toMatchObject({ is_verified: true, phone_proof: 'contact' });

    const other = newPerson();
    const register = { telegram_id: other.id, phone_number: other.phone };
    expect(await project.call('POST', '/register', register)).toMatchObject({ status: 200 });
    await other.says(await codeOf(other));
    await other.hears(/muvaffaqiyatli o‘tdingiz/);
    expect(await other.row()).toMatchObject({ is_verified: true, phone_proof: 'none' });
  });

  test('a claimed phone of a verified person is proven by their contact', async () => {
    const person = newPerson();
    await project.call('POST', '/register', { telegram_id: person.id, phone_number: person.phone });
    await person.says(await codeOf(person));
    await person.hears(/muvaffaqiyatli/);
    await person.shares(person.phone);
    await person.hears(/Telefon raqamingiz tasdiqlandi/);
    expect(await person.row()).toMatchObject({ is_verified: true, phone_proof: 'contact' });
  });

  test('a wrong code verifies nobody, and a verified person is told that they are', async () => {
    const person = newPerson();
    await person.says('/start');
    await person.shares(person.phone);
    const code = await codeOf(person);
    await person.says(wrongCode(code));
    await person.hears(/Kod noto‘g‘ri/);
    await person.says(`“${code.slice(0, 3)}\u00a0${code.slice(3)}”.`);
    await person.hears(/muvaffaqiyatli/);
    await person.says(code);
    await person.hears(/allaqachon tasdiqlangansiz/);
  });

  test('codes to a proven phone go to its chat, where SMS would have cost money', async () => {
    const person = await verified();
    const before = person.heard().length;
    expect(await project.call('POST', '/otp/send', { to: person.phone })).toMatchObject({ status: 202 });
    await person.hears(/Alif: kod \d{6}/, before);
    expect(navbat.sandbox.inbox({ to: person.phone })).toEqual([]);
  });
});

describe('a contact is its owner’s', () => {
  test('somebody else’s is refused, and registers nobody', async () => {
    const person = newPerson();
    await person.says('/start');
    await person.shares('+998935550000', person.id + 100_000);
    await person.hears(/Bu sizning raqamingiz emas/);
    expect(await person.row()).toMatchObject({ phone_number: null, is_verified: false });
    expect(person.heard().some(({ text }) => CODE.test(text))).toBe(false);
  });

  test('one without an owner (a card that was written by hand) is refused too', async () => {
    const person = newPerson();
    const message = {
      message_id: 1,
      date: 1,
      from: { id: person.id, is_bot: false, first_name: 'A' },
      chat: { id: person.id, type: 'private' },
      contact: { phone_number: person.phone, first_name: 'A' },
    };
    await person.act({ update: { message } });
    await person.hears(/Это не ваш номер|Bu sizning raqamingiz emas/);
    expect(await person.row()).toBeUndefined();
  });

  test('a number that can’t exist is refused', async () => {
    const person = newPerson();
    await person.shares('+123');
    await person.hears(/Bu raqamni o‘qib bo‘lmadi/);
    expect(await person.row()).toBeUndefined();
  });
});

describe('a phone that somebody else proves', () => {
  test('is theirs: the first loses it in the same commit, with whatever hangs on it', async () => {
    const first = await verified();
    const second = newPerson();
    await second.says('/start');
    await second.shares(first.phone);
    const code = await codeOf(second);
    // A contact alone takes nothing: the chat is not proven yet.
    expect(await first.row()).toMatchObject({ is_verified: true, revoked_at: null });

    await second.says(code);
    await second.hears(/muvaffaqiyatli/);
    const [one, other] = [await first.row(), await second.row()];
    expect(one).toMatchObject({ is_verified: false, phone_proof: 'none', superseded_by: other.id });
    expect(one.revoked_at).toEqual(other.verified_at);
    expect(other).toMatchObject({ is_verified: true, phone_proof: 'contact', revoked_at: null });
    const { rows } = await navbat.db.query(
      'select kind, detail from user_event where user_id = $1 order by id',
      [one.id],
    );
    expect(rows.at(-1)).toEqual({ kind: 'superseded', detail: { by: other.id } });

    const before = first.heard().length;
    await project.call('POST', '/otp/send', { to: first.phone });
    await second.hears(/Alif: kod/);
    expect(first.heard()).toHaveLength(before);
  });

  test('an old proof that was never finished takes nothing back', async () => {
    const [old, owner] = [newPerson(), newPerson()];
    await old.shares(old.phone);
    await codeOf(old);
    await verified(owner, old.phone);
    expect(
      await project.call('POST', '/register', { telegram_id: old.id, phone_number: old.phone }),
    ).toMatchObject({
      status: 200,
    });
    await until(async () => old.heard().filter(({ text }) => CODE.test(text)).length === 2);
    await old.says(await codeSentTo(navbat, String(old.id)));
    await old.hears(/muvaffaqiyatli/);
    expect(await old.row()).toMatchObject({ is_verified: true, phone_proof: 'none' });
    expect(await owner.row()).toMatchObject({ is_verified: true, phone_proof: 'contact', revoked_at: null });
  });

  test('a person who changes their number gives the old one up', async () => {
    const person = await verified();
    await person.shares('+998905559999');
    await person.hears(/Telefon raqamingiz tasdiqlandi/);
    const { rows } = await navbat.db.query(
      'select phone, telegram_chat_id from recipient where phone in ($1, $2)',
      [person.phone, '+998905559999'],
    );
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({ phone: person.phone, telegram_chat_id: null });
    expect(rows).toContainEqual({ phone: '+998905559999', telegram_chat_id: String(person.id) });
  });
});

describe('languages', () => {
  test('the bot speaks that of the person’s app, and so do codes', async () => {
    const person = newPerson('ru');
    await person.says('/start');
    await person.hears(/Это бот Alif/);
    await person.shares(person.phone);
    expect((await person.hears(CODE)).text).toMatch(/^Ваш код подтверждения: /);
  });

  test('/language changes it by a button, and is remembered', async () => {
    const person = newPerson();
    await person.says('/start');
    await person.says('/language');
    const menu = await person.hears(/Tilni tanlang/);
    await person.act({ callback: { message_id: Number(menu.provider_reference), data: 'language:en' } });
    await person.hears(/We speak English now/);
    await person.says('/help');
    await person.hears(/choose a language/);
    await person.shares(person.phone);
    expect((await person.hears(CODE)).text).toMatch(/^Your confirmation code: /);
    await until(async () =>
      navbat.sandbox.calls().some(({ method }) => /answerCallbackQuery/i.test(method ?? '')),
    );
  });

  test('or by its name, before /start too', async () => {
    const person = newPerson();
    await person.says('/language RU');
    await person.hears(/Теперь говорим по-русски/);
    await person.says('?');
    await person.hears(/Чтобы зарегистрироваться/);
  });
});

describe('/unlock', () => {
  const lock = (phone: string) =>
    navbat.db.query(
      `insert into destination (project_id, address_hash, failed_checks, locked_at, updated_at)
       select id, $1, 100, now(), now() from project
       on conflict (address_hash, project_id) do update set failed_checks = 100, locked_at = now()`,
      [keyedHash(navbat.env['PEPPER'] ?? '')('address', phone)],
    );
  const send = (to: string) =>
    project.call('POST', '/otp/send', { to, purpose: 'unlock', channels: ['telegram'] });

  test('opens what strangers locked, for whoever proved that number from this chat', async () => {
    const person = await verified();
    await lock(person.phone);
    expect((await send(person.phone)).body.type).toBe('urn:navbat:problem:destination-locked');
    await person.says('/unlock');
    await person.hears(/Blok olib tashlandi/);
    expect((await send(person.phone)).status).toBe(202);
    await person.says('/unlock');
    await person.hears(/bloklanmagan/);
  });

  test('opens nothing for anybody else', async () => {
    const [owner, stranger] = [await verified(), newPerson()];
    await lock(owner.phone);
    await stranger.says('/start');
    await stranger.says('/unlock');
    await stranger.hears(/Avval pastdagi tugma/);
    const other = await verified();
    await other.says('/unlock');
    await other.hears(/bloklanmagan/);
    expect((await send(owner.phone)).body.type).toBe('urn:navbat:problem:destination-locked');
  });
});

describe('who hears nothing more', () => {
  const register = ({ id, phone }: Person) =>
    project.call('POST', '/register', { telegram_id: id, phone_number: phone });

  test('/stop ends all messages, and only /start brings them back', async () => {
    const person = newPerson();
    await person.says('/start');
    await person.says('/stop');
    await person.hears(/hech narsa yozmayman/);
    await until(async () => (await register(person)).status === 422);
    await person.says('hello?');
    await person.shares(person.phone);
    const after = newPerson();
    // Updates are worked on in their order within a batch: by now those two were heard.
    await after.says('/start');
    await after.hears(/Alif/);
    expect(person.heard().at(-1)?.text).toMatch(/hech narsa yozmayman/);

    const before = person.heard().length;
    await person.says('/start');
    await person.hears(/Alif/, before);
    expect(await register(person)).toMatchObject({ status: 200 });
  });

  test('a block closes the chat, and its end opens it', async () => {
    const person = newPerson();
    await person.says('/start');
    await person.hears(/Alif/);
    const member = (status: string) => {
      const user = { id: person.id, is_bot: false, first_name: 'A' };
      const my_chat_member = {
        chat: { id: person.id, type: 'private' },
        from: user,
        date: 1,
        old_chat_member: { status: 'member', user },
        new_chat_member: { status, user },
      };
      return person.act({ update: { my_chat_member } });
    };
    await member('kicked');
    await until(async () => (await register(person)).status === 422);
    await member('member');
    await until(async () => (await register(person)).status === 200);
  });
});

test('a group is none of the bot’s business', async () => {
  const person = newPerson();
  const from = { id: person.id, is_bot: false, first_name: 'A' };
  const message = { message_id: 1, date: 1, from, chat: { id: -77, type: 'group' }, text: '/start' };
  await person.act({ update: { message } });
  await verified();
  expect(navbat.sandbox.inbox({ to: '-77' })).toEqual([]);
  expect(person.heard()).toEqual([]);
});

test('a flood is answered once, politely, and keeps nobody else waiting', async () => {
  const person = newPerson();
  await Promise.all(Array.from({ length: 40 }, (_, n) => person.says(`hello ${n}`)));
  await person.hears(/Juda tez yozyapsiz/);
  await verified();
  const texts = person.heard().map(({ text }) => text);
  expect(texts.filter((text) => /Juda tez/.test(text))).toHaveLength(1);
  expect(texts).toHaveLength(21);
});

test('an update that the bot died over is acted upon by the next one', async () => {
  const gone = once(bot, 'exit');
  bot.kill('SIGKILL');
  await gone;
  const person = newPerson();
  await person.says('/start');
  bot = await startBot();
  await person.hears(/Alif/);
});

test('no code and no phone stands in the bot’s log', async () => {
  const person = await verified();
  const code = await codeOf(person);
  const said = navbat.log.join('\n');
  expect(said).not.toContain(code);
  expect(said).not.toContain(person.phone.slice(1));
});

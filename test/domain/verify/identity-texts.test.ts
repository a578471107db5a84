import { expect, test } from 'vitest';
import { identityCodeTexts } from '../../../domain/identity/code-texts.ts';
import { BIND_PURPOSE } from '../../../domain/identity/device/enrolment.ts';
import { codeText } from '../../../domain/verify/text.ts';

test('the code that binds a phone says that it does, and where alone it is typed', () => {
  const purposeTexts = identityCodeTexts.get(BIND_PURPOSE) ?? null;
  const words = { code: '123456', project: 'Navbat', purposeTexts, payment: null, ttlSeconds: 300 };
  const texts = (['uz', 'ru', 'en'] as const).map((locale) => codeText({ ...words, locale }, {}).text);
  expect(texts).toEqual([
    'Navbat: 123456 kodi yangi telefonni sizga ulaydi. Uni faqat Navbat ilovasiga yozing. 5 daqiqa amal qiladi.',
    'Navbat: 123456 привяжет к вам новый телефон. Вводите его только в приложении Navbat. Действует 5 мин.',
    'Navbat: 123456 binds a new phone to you. Type it in the Navbat app and nowhere else. Expires in 5 min.',
  ]);
});

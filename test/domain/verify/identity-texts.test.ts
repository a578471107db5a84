import { expect, test } from 'vitest';
import { identityCodeTexts } from '../../../domain/identity/code-texts.ts';
import { BIND_PURPOSE } from '../../../domain/identity/device/enrolment.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { codeText } from '../../../domain/verify/text.ts';
import { textSettings } from './text-settings.ts';

test('the code that binds a phone says that it does, and where alone it is typed', () => {
  const purposeTexts = identityCodeTexts.get(BIND_PURPOSE) ?? null;
  const words = { code: '123456', project: 'Navbat', purposeTexts, payment: null, ttlSeconds: 300 };
  const texts = Locale.options.map((locale) => codeText({ ...words, locale }, textSettings(), 'screen').text);
  expect(texts).toEqual([
    'Navbat: 123456 kodi yangi telefonni sizga ulaydi. Uni faqat Navbat ilovasiga yozing. 5 daqiqa amal qiladi.',
    '123456 коди сизга янги телефон улайди. Фақат Navbat иловасига ёзинг.',
    'Код 123456 привяжет к вам новый телефон. Вводите только в Navbat.',
    'Navbat: 123456 binds a new phone to you. Type it in the Navbat app and nowhere else. Expires in 5 min.',
    '123456 коды сізге жаңа телефон қосады. Тек Navbat-қа енгізіңіз.',
    '123456 коду сизге жаңы телефон кошот. Аны Navbat-ка гана жазыңыз.',
    '123456 ба шумо телефони нав мепайвандад. Танҳо дар Navbat нависед.',
  ]);
});

import type { CodeTexts } from '../shared/code-texts.ts';
import { BIND_PURPOSE } from './device/enrolment.ts';
import { REGISTRATION_PURPOSE } from './registration/purpose.ts';

/** The texts of codes for purposes of identity. */
export const identityCodeTexts: ReadonlyMap<string, CodeTexts> = new Map([
  // As the registration's own document words it (S4.27).
  [
    REGISTRATION_PURPOSE,
    {
      uz: 'Tasdiqlash kodingiz: {code}',
      ru: 'Ваш код подтверждения: {code}',
      en: 'Your confirmation code: {code}',
      'uz-Cyrl': 'Тасдиқлаш кодингиз: {code}',
      kk: 'Растау кодыңыз: {code}',
      ky: 'Ырастоо кодуңуз: {code}',
      tg: 'Коди тасдиқи шумо: {code}',
    },
  ],
  // A person who is asked for it elsewhere must read what it does. Navbat sends it, so that the name is in the text already; an SMS of
  // 70 letters has no room for the minutes too.
  [
    BIND_PURPOSE,
    {
      uz: '{project}: {code} kodi yangi telefonni sizga ulaydi. Uni faqat Navbat ilovasiga yozing. {minutes} daqiqa amal qiladi.',
      ru: 'Код {code} привяжет к вам новый телефон. Вводите только в Navbat.',
      en: '{project}: {code} binds a new phone to you. Type it in the Navbat app and nowhere else. Expires in {minutes} min.',
      'uz-Cyrl': '{code} коди сизга янги телефон улайди. Фақат Navbat иловасига ёзинг.',
      kk: '{code} коды сізге жаңа телефон қосады. Тек Navbat-қа енгізіңіз.',
      ky: '{code} коду сизге жаңы телефон кошот. Аны Navbat-ка гана жазыңыз.',
      tg: '{code} ба шумо телефони нав мепайвандад. Танҳо дар Navbat нависед.',
    },
  ],
]);

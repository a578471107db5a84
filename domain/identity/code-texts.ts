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
    },
  ],
  // A person who is asked for it elsewhere must read what it does.
  [
    BIND_PURPOSE,
    {
      uz: '{project}: {code} kodi yangi telefonni sizga ulaydi. Uni faqat Navbat ilovasiga yozing. {minutes} daqiqa amal qiladi.',
      ru: '{project}: {code} привяжет к вам новый телефон. Вводите его только в приложении Navbat. Действует {minutes} мин.',
      en: '{project}: {code} binds a new phone to you. Type it in the Navbat app and nowhere else. Expires in {minutes} min.',
    },
  ],
]);

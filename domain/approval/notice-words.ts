import type { Locale } from '../otp/text.ts';
import type { NoticeKind } from './notice.ts';

export interface NoticeWords {
  readonly title: string;
  readonly body: string;
}

/** A lock screen shows them to anybody: they name no project, no amount and no number. */
const words: Readonly<Record<NoticeKind, Readonly<Record<Locale, NoticeWords>>>> = {
  challenge: {
    uz: { title: "Tasdiqlash so'rovi", body: "Ko'rish uchun Navbatni oching." },
    ru: { title: 'Запрос подтверждения', body: 'Откройте Navbat, чтобы посмотреть.' },
    en: { title: 'Approval asked for', body: 'Open Navbat to see it.' },
  },
  'device-bound': {
    uz: { title: 'Yangi qurilma ulandi', body: "Bu siz bo'lmasangiz, uni Navbatda hozir o'chiring." },
    ru: { title: 'Подключено новое устройство', body: 'Если это не вы, отключите его в Navbat сейчас.' },
    en: { title: 'A new device was bound', body: 'If it was not you, revoke it in Navbat now.' },
  },
  'device-revoked': {
    uz: { title: "Qurilma o'chirildi", body: "Bu siz bo'lmasangiz, Navbatda qurilmalaringizni tekshiring." },
    ru: { title: 'Устройство отключено', body: 'Если это не вы, проверьте свои устройства в Navbat.' },
    en: { title: 'A device was revoked', body: 'If it was not you, look at your devices in Navbat.' },
  },
  'chat-bound': {
    uz: { title: 'Telegram ulandi', body: "Bu siz bo'lmasangiz, Navbatda raqamingizni qayta tasdiqlang." },
    ru: { title: 'Подключён Telegram', body: 'Если это не вы, подтвердите свой номер в Navbat заново.' },
    en: { title: 'Telegram was connected', body: 'If it was not you, prove your number in Navbat again.' },
  },
  'lock-lifted': {
    uz: { title: 'Qulf ochildi', body: 'Raqamingizga yana kod yuboriladi.' },
    ru: { title: 'Блокировка снята', body: 'На ваш номер снова приходят коды.' },
    en: { title: 'The lock was lifted', body: 'Codes are sent to your number again.' },
  },
  reseed: {
    uz: { title: 'Qurilma kaliti yangilanadi', body: 'Davom etish uchun Navbatni oching.' },
    ru: { title: 'Ключ устройства обновляется', body: 'Откройте Navbat, чтобы продолжить.' },
    en: { title: 'Your device gets a new key', body: 'Open Navbat to go on.' },
  },
};

export const noticeWords = (kind: NoticeKind, locale: Locale): NoticeWords => words[kind][locale];

import type { Locale } from '../../shared/locale.ts';
import type { NoticeKind } from './notice.ts';

export interface NoticeWords {
  readonly title: string;
  readonly body: string;
}

/** The Uzbek apostrophe is ‘ (U+2018), as in the bot. A lock screen shows them to anybody: they name no project, no amount and no number. */
export const allNoticeWords: Readonly<Record<NoticeKind, Readonly<Record<Locale, NoticeWords>>>> = {
  challenge: {
    uz: { title: 'Tasdiqlash so‘rovi', body: 'Ko‘rish uchun Navbat ilovasini oching.' },
    ru: { title: 'Запрос подтверждения', body: 'Откройте Navbat, чтобы посмотреть.' },
    en: { title: 'Approval request', body: 'Open Navbat to see it.' },
  },
  'device-bound': {
    uz: { title: 'Yangi qurilma ulandi', body: 'Bu siz bo‘lmasangiz, uni Navbat ilovasida hozir o‘chiring.' },
    ru: { title: 'Подключено новое устройство', body: 'Если это не вы, отключите его в Navbat сейчас.' },
    en: { title: 'New device added', body: 'If it was not you, remove it in the Navbat app now.' },
  },
  'device-revoked': {
    uz: {
      title: 'Qurilma o‘chirildi',
      body: 'Bu siz bo‘lmasangiz, Navbat ilovasida qurilmalaringizni tekshiring.',
    },
    ru: { title: 'Устройство отключено', body: 'Если это не вы, проверьте свои устройства в Navbat.' },
    en: { title: 'Device removed', body: 'If it was not you, check your devices in the Navbat app.' },
  },
  'chat-bound': {
    uz: {
      title: 'Telegram ulandi',
      body: 'Bu siz bo‘lmasangiz, Navbat ilovasida raqamingizni qayta tasdiqlang.',
    },
    ru: { title: 'Подключён Telegram', body: 'Если это не вы, подтвердите свой номер в Navbat заново.' },
    en: {
      title: 'Telegram connected',
      body: 'If it was not you, confirm your number in the Navbat app again.',
    },
  },
  'lock-lifted': {
    uz: { title: 'Blok olib tashlandi', body: 'Raqamingizga yana kod yuboriladi.' },
    ru: { title: 'Блокировка снята', body: 'На ваш номер снова приходят коды.' },
    en: { title: 'Block removed', body: 'Codes are sent to your number again.' },
  },
  rotate: {
    uz: { title: 'Qurilma kaliti yangilanadi', body: 'Davom etish uchun Navbat ilovasini oching.' },
    ru: { title: 'Ключ устройства обновляется', body: 'Откройте Navbat, чтобы продолжить.' },
    en: { title: 'Your device gets a new key', body: 'Open Navbat to continue.' },
  },
};

export const noticeWords = (kind: NoticeKind, locale: Locale): NoticeWords => allNoticeWords[kind][locale];

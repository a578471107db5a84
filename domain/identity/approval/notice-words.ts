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
    'uz-Cyrl': { title: 'Тасдиқлаш сўрови', body: 'Кўриш учун Navbat иловасини очинг.' },
    kk: { title: 'Растау сұрауы', body: 'Көру үшін Navbat қолданбасын ашыңыз.' },
    ky: { title: 'Ырастоо сурамы', body: 'Көрүү үчүн Navbat тиркемесин ачыңыз.' },
    tg: { title: 'Дархости тасдиқ', body: 'Барои дидан барномаи Navbat-ро кушоед.' },
  },
  'device-bound': {
    uz: { title: 'Yangi qurilma ulandi', body: 'Bu siz bo‘lmasangiz, uni Navbat ilovasida hozir o‘chiring.' },
    ru: { title: 'Подключено новое устройство', body: 'Если это не вы, отключите его в Navbat сейчас.' },
    en: { title: 'New device added', body: 'If it was not you, remove it in the Navbat app now.' },
    'uz-Cyrl': {
      title: 'Янги қурилма уланди',
      body: 'Бу сиз бўлмасангиз, уни Navbat иловасида ҳозир ўчиринг.',
    },
    kk: {
      title: 'Жаңа құрылғы қосылды',
      body: 'Бұл сіз болмасаңыз, оны Navbat қолданбасында қазір өшіріңіз.',
    },
    ky: { title: 'Жаңы түзмөк кошулду', body: 'Бул сиз болбосоңуз, аны Navbat тиркемесинде азыр өчүрүңүз.' },
    tg: {
      title: 'Дастгоҳи нав пайваст шуд',
      body: 'Агар ин шумо набошед, онро ҳозир дар барномаи Navbat хориҷ кунед.',
    },
  },
  'device-revoked': {
    uz: {
      title: 'Qurilma o‘chirildi',
      body: 'Bu siz bo‘lmasangiz, Navbat ilovasida qurilmalaringizni tekshiring.',
    },
    ru: { title: 'Устройство отключено', body: 'Если это не вы, проверьте свои устройства в Navbat.' },
    en: { title: 'Device removed', body: 'If it was not you, check your devices in the Navbat app.' },
    'uz-Cyrl': {
      title: 'Қурилма ўчирилди',
      body: 'Бу сиз бўлмасангиз, Navbat иловасида қурилмаларингизни текширинг.',
    },
    kk: {
      title: 'Құрылғы өшірілді',
      body: 'Бұл сіз болмасаңыз, Navbat қолданбасында құрылғыларыңызды тексеріңіз.',
    },
    ky: {
      title: 'Түзмөк өчүрүлдү',
      body: 'Бул сиз болбосоңуз, Navbat тиркемесинде түзмөктөрүңүздү текшериңиз.',
    },
    tg: {
      title: 'Дастгоҳ хориҷ карда шуд',
      body: 'Агар ин шумо набошед, дастгоҳҳои худро дар барномаи Navbat тафтиш кунед.',
    },
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
    'uz-Cyrl': {
      title: 'Telegram уланди',
      body: 'Бу сиз бўлмасангиз, Navbat иловасида рақамингизни қайта тасдиқланг.',
    },
    kk: {
      title: 'Telegram қосылды',
      body: 'Бұл сіз болмасаңыз, Navbat қолданбасында нөміріңізді қайта растаңыз.',
    },
    ky: {
      title: 'Telegram кошулду',
      body: 'Бул сиз болбосоңуз, Navbat тиркемесинде номериңизди кайра ырастаңыз.',
    },
    tg: {
      title: 'Telegram пайваст шуд',
      body: 'Агар ин шумо набошед, рақами худро дар барномаи Navbat аз нав тасдиқ кунед.',
    },
  },
  'lock-lifted': {
    uz: { title: 'Blok olib tashlandi', body: 'Raqamingizga yana kod yuboriladi.' },
    ru: { title: 'Блокировка снята', body: 'На ваш номер снова приходят коды.' },
    en: { title: 'Block removed', body: 'Codes are sent to your number again.' },
    'uz-Cyrl': { title: 'Блок олиб ташланди', body: 'Рақамингизга яна код юборилади.' },
    kk: { title: 'Бұғат алынды', body: 'Нөміріңізге кодтар қайта жіберіледі.' },
    ky: { title: 'Бөгөт алынды', body: 'Номериңизге коддор кайра жөнөтүлөт.' },
    tg: { title: 'Маҳдудият бардошта шуд', body: 'Ба рақами шумо боз код фиристода мешавад.' },
  },
  rotate: {
    uz: { title: 'Qurilma kaliti yangilanadi', body: 'Davom etish uchun Navbat ilovasini oching.' },
    ru: { title: 'Ключ устройства обновляется', body: 'Откройте Navbat, чтобы продолжить.' },
    en: { title: 'Your device gets a new key', body: 'Open Navbat to continue.' },
    'uz-Cyrl': { title: 'Қурилма калити янгиланади', body: 'Давом этиш учун Navbat иловасини очинг.' },
    kk: { title: 'Құрылғы кілті жаңартылады', body: 'Жалғастыру үшін Navbat қолданбасын ашыңыз.' },
    ky: { title: 'Түзмөктүн ачкычы жаңыртылат', body: 'Улантуу үчүн Navbat тиркемесин ачыңыз.' },
    tg: { title: 'Калиди дастгоҳ нав мешавад', body: 'Барои идома барномаи Navbat-ро кушоед.' },
  },
};

export const noticeWords = (kind: NoticeKind, locale: Locale): NoticeWords => allNoticeWords[kind][locale];

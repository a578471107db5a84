import { z } from 'zod';
import { type Locale, mainLocaleOf, mainLocales } from '../../domain/shared/locale.ts';

/** The Uzbek apostrophe is ‘ (U+2018), in the bot and in pushes alike; only SMS has the ASCII one. All that the bot says. Codes are not here: they come through `otp-send`, as every code does. */
export interface Texts {
  readonly welcome: (project: string) => string;
  readonly shareButton: string;
  readonly askContact: string;
  readonly notYours: string;
  readonly badPhone: string;
  readonly codeOnItsWay: string;
  readonly askCode: string;
  readonly wrongCode: string;
  readonly verified: string;
  readonly alreadyVerified: string;
  readonly phoneUnproven: string;
  readonly phoneProved: string;
  readonly tooManyCodes: (minutes: number) => string;
  readonly tooManyChecks: (minutes: number) => string;
  readonly locked: string;
  readonly unlocked: string;
  readonly nothingLocked: string;
  readonly unlockUnproven: string;
  readonly sorry: string;
  readonly help: string;
  readonly chooseLanguage: string;
  readonly languageSet: string;
  readonly stopped: string;
  readonly slowDown: string;
}

const uz: Texts = {
  welcome: (project) =>
    `Assalomu alaykum! Bu ${project} boti. Ro‘yxatdan o‘tish uchun pastdagi tugma orqali telefon raqamingizni yuboring.`,
  shareButton: '📱 Raqamni yuborish',
  askContact: 'Ro‘yxatdan o‘tish uchun pastdagi tugma orqali telefon raqamingizni yuboring.',
  notYours: 'Bu sizning raqamingiz emas. Iltimos, pastdagi tugma orqali o‘z raqamingizni yuboring.',
  badPhone: 'Bu raqamni o‘qib bo‘lmadi. Iltimos, pastdagi tugma orqali qayta yuboring.',
  codeOnItsWay: 'Kod yuborilmoqda. U 1 daqiqa amal qiladi: uni shu yerga yozing.',
  askCode: 'Sizga yuborilgan 6 xonali kodni yozing. Yangi kod olish uchun raqamingizni qayta yuboring.',
  wrongCode:
    'Kod noto‘g‘ri yoki muddati o‘tgan. Yangi kod olish uchun pastdagi tugma orqali raqamingizni qayta yuboring.',
  verified: '✅ Ro‘yxatdan muvaffaqiyatli o‘tdingiz.',
  alreadyVerified: '✅ Siz allaqachon tasdiqlangansiz.',
  phoneUnproven:
    '✅ Siz tasdiqlangansiz. Raqamingizni ham tasdiqlash uchun uni pastdagi tugma orqali yuboring.',
  phoneProved: '✅ Telefon raqamingiz tasdiqlandi.',
  tooManyCodes: (minutes) => `Juda ko‘p kod so‘raldi. ${minutes} daqiqadan so‘ng qayta urinib ko‘ring.`,
  tooManyChecks: (minutes) => `Juda ko‘p noto‘g‘ri kod. ${minutes} daqiqadan so‘ng qayta urinib ko‘ring.`,
  locked:
    'Juda ko‘p noto‘g‘ri kod yozildi: kod yuborish 24 soatga bloklandi. Raqamingiz tasdiqlangan bo‘lsa, blokni /unlock olib tashlaydi.',
  unlocked: '🔓 Blok olib tashlandi: raqamingizga yana kod yuboriladi.',
  nothingLocked: 'Raqamingiz bloklanmagan.',
  unlockUnproven: 'Avval pastdagi tugma orqali raqamingizni tasdiqlang.',
  sorry: 'Hozir kod yuborib bo‘lmadi. Iltimos, keyinroq urinib ko‘ring.',
  help: '/start — ro‘yxatdan o‘tish\n/language — tilni tanlash\n/stop — xabarlarni to‘xtatish\n/unlock — bloklangan raqamdan blokni olib tashlash\n/help — yordam',
  chooseLanguage: 'Tilni tanlang:',
  languageSet: 'Endi o‘zbek tilida gaplashamiz.',
  stopped: 'Bo‘ldi, endi sizga hech narsa yozmayman. Qaytish uchun: /start',
  slowDown: 'Juda tez yozyapsiz. Bir daqiqadan so‘ng davom eting.',
};

const ru: Texts = {
  welcome: (project) =>
    `Здравствуйте! Это бот ${project}. Чтобы зарегистрироваться, отправьте свой номер телефона кнопкой ниже.`,
  shareButton: '📱 Отправить номер',
  askContact: 'Чтобы зарегистрироваться, отправьте свой номер телефона кнопкой ниже.',
  notYours: 'Это не ваш номер. Пожалуйста, отправьте свой номер кнопкой ниже.',
  badPhone: 'Этот номер не удалось прочитать. Пожалуйста, отправьте его кнопкой ниже ещё раз.',
  codeOnItsWay: 'Код отправляется. Он действует 1 минуту: напишите его сюда.',
  askCode: 'Напишите присланный вам код из 6 цифр. Чтобы получить новый, отправьте свой номер ещё раз.',
  wrongCode: 'Код неверен или устарел. Чтобы получить новый, отправьте свой номер кнопкой ниже ещё раз.',
  verified: '✅ Готово, вы зарегистрированы.',
  alreadyVerified: '✅ Вы уже зарегистрированы.',
  phoneUnproven: '✅ Вы зарегистрированы. Чтобы подтвердить и номер, отправьте его кнопкой ниже.',
  phoneProved: '✅ Ваш номер телефона подтверждён.',
  tooManyCodes: (minutes) => `Слишком много кодов. Попробуйте снова через ${minutes} мин.`,
  tooManyChecks: (minutes) => `Слишком много неверных кодов. Попробуйте снова через ${minutes} мин.`,
  locked:
    'Слишком много неверных кодов: отправка кодов заблокирована на 24 часа. Если ваш номер подтверждён, снимите блокировку: /unlock.',
  unlocked: '🔓 Блокировка снята: на ваш номер снова приходят коды.',
  nothingLocked: 'Ваш номер не заблокирован.',
  unlockUnproven: 'Сначала подтвердите свой номер кнопкой ниже.',
  sorry: 'Сейчас не удалось отправить код. Пожалуйста, попробуйте позже.',
  help: '/start — регистрация\n/language — выбрать язык\n/stop — остановить сообщения\n/unlock — снять блокировку\n/help — помощь',
  chooseLanguage: 'Выберите язык:',
  languageSet: 'Теперь говорим по-русски.',
  stopped: 'Хорошо, больше я вам не пишу. Чтобы вернуться: /start',
  slowDown: 'Вы пишете слишком быстро. Продолжите через минуту.',
};

const en: Texts = {
  welcome: (project) =>
    `Hello! This is the bot of ${project}. To register, share your phone number with the button below.`,
  shareButton: '📱 Share my number',
  askContact: 'To register, share your phone number with the button below.',
  notYours: 'This is not your number. Please share your own with the button below.',
  badPhone: 'This number could not be read. Please share it again with the button below.',
  codeOnItsWay: 'A code is on its way. It expires in 1 minute: type it here.',
  askCode: 'Type the 6 digits that you were sent. For a new code, share your number again.',
  wrongCode:
    'The code is wrong or has expired. For a new one, share your number again with the button below.',
  verified: '✅ Done, you are registered.',
  alreadyVerified: '✅ You are already registered.',
  phoneUnproven: '✅ You are registered. To confirm your number too, share it with the button below.',
  phoneProved: '✅ Your phone number is confirmed.',
  tooManyCodes: (minutes) => `Too many codes. Try again in ${minutes} min.`,
  tooManyChecks: (minutes) => `Too many wrong codes. Try again in ${minutes} min.`,
  locked:
    'Too many wrong codes: sending codes is blocked for 24 hours. If your number is confirmed, /unlock removes the block.',
  unlocked: '🔓 Unblocked: your number gets codes again.',
  nothingLocked: 'Your number is not blocked.',
  unlockUnproven: 'First confirm your number with the button below.',
  sorry: 'No code could be sent now. Please try again later.',
  help: '/start — register\n/language — choose a language\n/stop — stop all messages\n/unlock — remove a block\n/help — this help',
  chooseLanguage: 'Choose a language:',
  languageSet: 'We speak English now.',
  stopped: 'Done, I will not write to you any more. To come back: /start',
  slowDown: 'You are writing too fast. Go on in a minute.',
};

/** The languages of the bot's conversation: each has a page of texts, and a button of `/language`. */
export const BotLocale = z.enum(mainLocales);
export type BotLocale = z.infer<typeof BotLocale>;

export const texts: Readonly<Record<BotLocale, Texts>> = { uz, ru, en };

export const botLocaleOf = (locale: Locale): BotLocale => mainLocaleOf(locale);
export const textsFor = (locale: Locale): Texts => texts[botLocaleOf(locale)];

/** Each in its own language, so that whoever can't read the others finds theirs. */
export const languageNames: Readonly<Record<BotLocale, string>> = {
  uz: 'O‘zbekcha',
  ru: 'Русский',
  en: 'English',
};

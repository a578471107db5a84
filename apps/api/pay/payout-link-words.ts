import type { LinkView } from '../../../domain/pay/link/port.ts';

export type PageLocale = 'uz' | 'ru';

/** Said above the rest. */
export type Notice = 'not-finished' | 'not-known' | 'refused' | 'too-many' | 'closed';

interface Words {
  readonly title: string;
  readonly amount: string;
  readonly currency: string;
  readonly payer: string;
  readonly purpose: string;
  readonly phone: string;
  readonly card: string;
  readonly bind: string;
  readonly form: string;
  readonly until: (day: string) => string;
  readonly toForm: string;
  readonly unknown: string;
  readonly states: Readonly<Record<Exclude<LinkView['state'], 'live'>, string>>;
  readonly notices: Readonly<Record<Notice, string>>;
}

/** What the page of a payout link says. */
export const linkWords: Readonly<Record<PageLocale, Words>> = {
  uz: {
    title: 'Sizga to‘lov bor',
    amount: 'Summa',
    currency: 'so‘m',
    payer: 'Kim to‘laydi',
    purpose: 'Nima uchun',
    phone: 'Telefon',
    card: 'Karta',
    bind: 'Kartani bog‘lash',
    form: 'Karta raqami to‘lov tizimining sahifasida kiritiladi; biz uni ko‘rmaymiz. Karta shu telefon raqamiga ulangan bo‘lishi kerak.',
    until: (day) => `Havola ${day} gacha ishlaydi.`,
    toForm: 'Karta sahifasiga o‘tish',
    unknown: 'Bunday havola yo‘q. Xabardagi havolani to‘liq oching.',
    states: {
      replaced: 'Sizga yangiroq havola yuborilgan. Oxirgi xabardagi havolani oching.',
      expired: 'Havolaning muddati tugadi. To‘lovni yuborgan tashkilotga murojaat qiling.',
      cancelled: 'Bu to‘lov bekor qilindi. To‘lovni yuborgan tashkilotga murojaat qiling.',
      bound: 'Karta bog‘landi. To‘lov tekshiruvdan so‘ng kartaga tushadi.',
      paid: 'To‘landi.',
      failed: 'To‘lov kartaga tushmadi. To‘lovni yuborgan tashkilotga murojaat qiling.',
    },
    notices: {
      'not-finished': 'Karta hali bog‘lanmadi. Qaytadan urinib ko‘ring.',
      'not-known': 'To‘lov tizimi hali javob bermadi. Bir daqiqadan so‘ng sahifani yangilang.',
      refused: 'Bu kartani bog‘lab bo‘lmadi. Boshqa kartani kiriting.',
      'too-many': 'Urinishlar juda ko‘p. Bir soatdan keyin qaytadan urinib ko‘ring.',
      closed: 'Hozir karta bog‘lab bo‘lmaydi. Keyinroq urinib ko‘ring.',
    },
  },
  ru: {
    title: 'Вам выплата',
    amount: 'Сумма',
    currency: 'сум',
    payer: 'Кто платит',
    purpose: 'За что',
    phone: 'Телефон',
    card: 'Карта',
    bind: 'Привязать карту',
    form: 'Номер карты вводится на странице платёжной системы; мы его не видим. Карта должна быть привязана к этому номеру телефона.',
    until: (day) => `Ссылка действует до ${day}.`,
    toForm: 'Перейти на страницу карты',
    unknown: 'Такой ссылки нет. Откройте ссылку из сообщения целиком.',
    states: {
      replaced: 'Вам отправлена более новая ссылка. Откройте ссылку из последнего сообщения.',
      expired: 'Срок ссылки истёк. Обратитесь в организацию, которая отправила выплату.',
      cancelled: 'Эта выплата отменена. Обратитесь в организацию, которая её отправила.',
      bound: 'Карта привязана. Выплата поступит после проверки.',
      paid: 'Выплачено.',
      failed: 'Выплата не поступила на карту. Обратитесь в организацию, которая её отправила.',
    },
    notices: {
      'not-finished': 'Карта ещё не привязана. Попробуйте ещё раз.',
      'not-known': 'Платёжная система ещё не ответила. Обновите страницу через минуту.',
      refused: 'Эту карту привязать нельзя. Введите другую карту.',
      'too-many': 'Слишком много попыток. Попробуйте через час.',
      closed: 'Сейчас карту привязать нельзя. Попробуйте позже.',
    },
  },
};

import type { Locale } from '../../shared/locale.ts';
import { uzsOfTiyin } from '../list/limits.ts';
import type { PayoutId } from '../ids.ts';

/** What became of a payout, for its payee. */
export interface DueReceipt {
  readonly payoutId: PayoutId;
  readonly what: 'paid' | 'failed' | 'returned';
  /** What the card gets, in tiyin. */
  readonly net: bigint;
  readonly last4: string;
  /** Out of the person's own balance, to which it comes back. */
  readonly isOwn: boolean;
  readonly locale: Locale;
  readonly chatIds: readonly string[];
  /** Apps of the person, by their recipients of Navbat's own project. */
  readonly recipientIds: readonly string[];
}

/** What the payees are still to be told. */
export interface Receipts {
  /** Hands up to so many over, and marks them: where this fails or is cut off, they are handed over again. Answers how many. */
  take(limit: number, tell: (receipts: readonly DueReceipt[]) => Promise<void>): Promise<number>;
}

type Words = Readonly<Record<DueReceipt['what'], (sum: string, card: string) => string>>;

/** The Uzbek apostrophe is ‘ (U+2018), as in the bot. */
const words = {
  uz: {
    paid: (sum, card) => `${card} kartangizga ${sum} so‘m yuborildi.`,
    failed: (sum, card) => `${card} kartasiga ${sum} so‘m yuborilmadi. Pul balansingizga qaytdi.`,
    returned: (sum, card) =>
      `Bank ${card} kartasiga yuborilgan ${sum} so‘mni qaytardi. Pul balansingizda; boshqa karta bog‘lang.`,
  },
  'uz-Cyrl': {
    paid: (sum, card) => `${card} картангизга ${sum} сўм юборилди.`,
    failed: (sum, card) => `${card} картасига ${sum} сўм юборилмади. Пул балансингизга қайтди.`,
    returned: (sum, card) =>
      `Банк ${card} картасига юборилган ${sum} сўмни қайтарди. Пул балансингизда; бошқа карта боғланг.`,
  },
  ru: {
    paid: (sum, card) => `На карту ${card} отправлено ${sum} сум.`,
    failed: (sum, card) => `${sum} сум на карту ${card} не отправлены. Деньги вернулись на ваш баланс.`,
    returned: (sum, card) =>
      `Банк вернул ${sum} сум, отправленные на карту ${card}. Деньги на вашем балансе; привяжите другую карту.`,
  },
  en: {
    paid: (sum, card) => `${sum} UZS were sent to your card ${card}.`,
    failed: (sum, card) => `${sum} UZS could not be sent to card ${card}. The money is back in your balance.`,
    returned: (sum, card) =>
      `The bank sent back ${sum} UZS from card ${card}. The money is in your balance; add another card.`,
  },
  kk: {
    paid: (sum, card) => `${card} картаңызға ${sum} сум жіберілді.`,
    failed: (sum, card) => `${card} картасына ${sum} сум жіберілмеді. Ақша балансыңызға қайтты.`,
    returned: (sum, card) =>
      `Банк ${card} картасына жіберілген ${sum} сумды қайтарды. Ақша балансыңызда; басқа карта тіркеңіз.`,
  },
  ky: {
    paid: (sum, card) => `${card} картаңызга ${sum} сум жөнөтүлдү.`,
    failed: (sum, card) => `${card} картасына ${sum} сум жөнөтүлгөн жок. Акча балансыңызга кайтты.`,
    returned: (sum, card) =>
      `Банк ${card} картасына жөнөтүлгөн ${sum} сумду кайтарды. Акча балансыңызда; башка карта байлаңыз.`,
  },
  tg: {
    paid: (sum, card) => `Ба корти шумо ${card} ${sum} сӯм фиристода шуд.`,
    failed: (sum, card) => `${sum} сӯм ба корти ${card} фиристода нашуд. Пул ба тавозуни шумо баргашт.`,
    returned: (sum, card) =>
      `Бонк ${sum} сӯмро, ки ба корти ${card} фиристода шуда буд, баргардонд. Пул дар тавозуни шумост; корти дигар пайваст кунед.`,
  },
} as const satisfies Readonly<Record<Locale, Words>>;

const notices = {
  uz: { title: 'To‘lov', body: 'To‘lov holati o‘zgardi. Ko‘rish uchun Navbat ilovasini oching.' },
  'uz-Cyrl': { title: 'Тўлов', body: 'Тўлов ҳолати ўзгарди. Кўриш учун Navbat иловасини очинг.' },
  ru: { title: 'Выплата', body: 'Состояние выплаты изменилось. Откройте Navbat, чтобы посмотреть.' },
  en: { title: 'Payment', body: 'The state of your payment changed. Open Navbat to see it.' },
  kk: { title: 'Төлем', body: 'Төлем күйі өзгерді. Көру үшін Navbat қолданбасын ашыңыз.' },
  ky: { title: 'Төлөм', body: 'Төлөмдүн абалы өзгөрдү. Көрүү үчүн Navbat тиркемесин ачыңыз.' },
  tg: { title: 'Пардохт', body: 'Ҳолати пардохт тағйир ёфт. Барои дидан барномаи Navbat-ро кушоед.' },
} as const satisfies Readonly<Record<Locale, { readonly title: string; readonly body: string }>>;

/** For a chat, which its owner alone reads. */
export function receiptText({ what, net, last4, locale }: DueReceipt): string {
  const sum = uzsOfTiyin(net)
    .replace(/\.00$/, '')
    .replaceAll(/\B(?=(?:\d{3})+(?:\.|$))/g, ' ');
  return words[locale][what](sum, `•••• ${last4}`);
}

/** For a lock screen, which anybody reads: no amount and no card. */
export const receiptNotice = ({ locale }: Pick<DueReceipt, 'locale'>) => notices[locale];

/** Who is told: of money that goes back to a project, its payee hears nothing. */
export const isTold = ({ what, isOwn }: Pick<DueReceipt, 'what' | 'isOwn'>): boolean =>
  what === 'paid' || isOwn;

import { uzsOfTiyin } from '../list/limits.ts';
import type { Locale } from '../../shared/locale.ts';
import { smsSize } from '../../shared/sms-segments.ts';

export interface LinkText {
  readonly payer: string;
  /** In tiyin. */
  readonly amount: bigint;
  readonly purpose: string | null;
  readonly url: string;
  readonly isReminder: boolean;
  /** Null where nobody knows what they read. */
  readonly locale: Locale | null;
}

interface Words {
  readonly reminder: string;
  readonly message: (payer: string, sum: string, why: string) => string;
  /** Without the amount: an SMS is seen on a lock screen. */
  readonly sms: string;
}

/** The Uzbek apostrophe is ‘ (U+2018), as in the bot; in an SMS it is that of ASCII, since the other costs a second part. */
const words = {
  uz: {
    reminder: 'Eslatma',
    message: (payer, sum, why) => `${payer} sizga ${sum} so‘m to‘laydi${why}. Kartangizni bog‘lang:`,
    sms: "sizga to'lov bor. Kartangizni bog'lang:",
  },
  'uz-Cyrl': {
    reminder: 'Эслатма',
    message: (payer, sum, why) => `${payer} сизга ${sum} сўм тўлайди${why}. Картангизни боғланг:`,
    sms: 'сизга тўлов бор. Картангизни боғланг:',
  },
  ru: {
    reminder: 'Напоминание',
    message: (payer, sum, why) => `${payer} выплачивает вам ${sum} сум${why}. Привяжите карту:`,
    sms: 'вам выплата. Привяжите карту:',
  },
  en: {
    reminder: 'Reminder',
    message: (payer, sum, why) => `${payer} pays you ${sum} UZS${why}. Add your card:`,
    sms: 'there is a payment for you. Add your card:',
  },
  kk: {
    reminder: 'Еске салу',
    message: (payer, sum, why) => `${payer} сізге ${sum} сум төлейді${why}. Картаңызды тіркеңіз:`,
    sms: 'сізге төлем бар. Картаңызды тіркеңіз:',
  },
  ky: {
    reminder: 'Эскертүү',
    message: (payer, sum, why) => `${payer} сизге ${sum} сум төлөйт${why}. Картаңызды байлаңыз:`,
    sms: 'сизге төлөм бар. Картаңызды байлаңыз:',
  },
  tg: {
    reminder: 'Ёдоварӣ',
    message: (payer, sum, why) => `${payer} ба шумо ${sum} сӯм мепардозад${why}. Корти худро пайваст кунед:`,
    sms: 'ба шумо пардохт ҳаст. Корти худро пайваст кунед:',
  },
} as const satisfies Readonly<Record<Locale, Words>>;

/** What a payee is sent by the bot: in their language, or in Uzbek and Russian where nobody knows it. */
export function linkText({ payer, amount, purpose, url, isReminder, locale }: LinkText): string {
  const sum = uzsOfTiyin(amount)
    .replace(/\.00$/, '')
    .replaceAll(/\B(?=(?:\d{3})+(?:\.|$))/g, ' ');
  const why = purpose === null ? '' : ` (${purpose})`;
  const lines = (locale === null ? (['uz', 'ru'] as const) : [locale]).map((one) => {
    const { reminder, message } = words[one];
    return `${isReminder ? `${reminder}: ` : ''}${message(payer, sum, why)}`;
  });
  return [...lines, url].join('\n');
}

/**
 * What a payee is sent by SMS: in their language, or in Uzbek in Latin letters, which is one part. It says no amount and no purpose, and a reminder
 * is worded alike, so that aggregators have one text of each language to approve. Who pays is left out where it would cost another part.
 */
export function linkSms({ payer, url, locale }: Pick<LinkText, 'payer' | 'url' | 'locale'>): string {
  const { sms } = words[locale ?? 'uz'];
  const short = `${capital(sms)} ${url}`;
  const whole = `${payer}: ${sms} ${url}`;
  return smsSize(whole).segments > smsSize(short).segments ? short : whole;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

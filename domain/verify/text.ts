import { z } from 'zod';
import { BIND_PURPOSE } from '../identity/device/enrolment.ts';
import { REGISTRATION_PURPOSE } from '../identity/registration/purpose.ts';
import { Locale } from '../shared/locale.ts';
import { amountText, type Payment } from '../shared/payment.ts';

/** `{code}`, `{project}`, `{minutes}`, `{amount}` and `{payee}` are filled in; a template without `{code}` is refused when it is set. */
const Template = z
  .string()
  .max(480) // Three concatenated SMS of a GSM alphabet: longer texts are cut or refused by operators.
  .refine((text) => text.includes('{code}'), { error: 'a template must contain {code}' });

export const Templates = z.partialRecord(Locale, Template);
export type Templates = z.infer<typeof Templates>;

const textDefaults: Readonly<Record<Locale, string>> = {
  uz: '{project}: tasdiqlash kodingiz {code}. {minutes} daqiqa amal qiladi. Uni hech kimga aytmang.',
  ru: '{project}: код {code}, {minutes} мин. Никому не сообщайте.',
  en: "{project}: your code is {code}. Expires in {minutes} min. Don't share it.",
};

const moneyTexts: Readonly<Record<Locale, string>> = {
  uz: '{project}: {amount} to‘lov, oluvchi {payee}. Tasdiqlash kodi {code}, {minutes} daqiqa amal qiladi. Uni hech kimga aytmang.',
  ru: '{project}: платёж {amount}, получатель {payee}. Код {code}, {minutes} мин. Никому не сообщайте.',
  en: "{project}: payment of {amount} to {payee}. Your code is {code}. Expires in {minutes} min. Don't share it.",
};

/** What a project's own template left out: nobody approves a payment that they were not shown. */
const moneyWords: Readonly<Record<Locale, Readonly<Record<'{amount}' | '{payee}', string>>>> = {
  uz: { '{amount}': ' Summa: {amount}.', '{payee}': ' Oluvchi: {payee}.' },
  ru: { '{amount}': ' Сумма: {amount}.', '{payee}': ' Получатель: {payee}.' },
  en: { '{amount}': ' Amount: {amount}.', '{payee}': ' Payee: {payee}.' },
};

/** A purpose whose message a document words itself (S4.27), or that does more than confirm. A project's own template still comes first. */
const textsByPurpose: ReadonlyMap<string, Readonly<Record<Locale, string>>> = new Map([
  [
    REGISTRATION_PURPOSE,
    {
      uz: 'Tasdiqlash kodingiz: {code}',
      ru: 'Ваш код подтверждения: {code}',
      en: 'Your confirmation code: {code}',
    },
  ],
  // Whoever is asked for it elsewhere must read what it does.
  [
    BIND_PURPOSE,
    {
      uz: '{project}: {code} kodi yangi telefonni sizga ulaydi. Uni faqat Navbat ilovasiga yozing. {minutes} daqiqa amal qiladi.',
      ru: '{project}: {code} привяжет к вам новый телефон. Вводите его только в приложении Navbat. Действует {minutes} мин.',
      en: '{project}: {code} binds a new phone to you. Type it in the Navbat app and nowhere else. Expires in {minutes} min.',
    },
  ],
]);

const titles: Readonly<Record<Locale, string>> = {
  uz: 'Tasdiqlash kodi',
  ru: 'Код подтверждения',
  en: 'Your code',
};

export interface CodeWords {
  readonly code: string;
  readonly project: string;
  readonly purpose: string;
  readonly payment: Payment | null;
  readonly ttlSeconds: number;
  readonly locale: Locale;
}

/** Where a message is read: one letter outside the GSM alphabet makes an SMS twice as dear, and a typographic apostrophe is one. */
export type TextMedium = 'sms' | 'screen';

const APOSTROPHES = /[\u02bb\u02bc\u2018\u2019]/g;

/** The message a person reads. `ttlSeconds` is rounded up to whole minutes. In an SMS every apostrophe is the ASCII one. */
export function codeText(
  message: CodeWords,
  templates: Templates,
  medium: TextMedium = 'screen',
): { title: string; text: string } {
  const { payment } = message;
  const values: Record<string, string> = {
    code: message.code,
    project: message.project,
    minutes: String(Math.max(1, Math.ceil(message.ttlSeconds / 60))),
    ...(payment ? { amount: amountText(payment), payee: payment.payee } : {}),
  };
  const text = templateOf(message, templates).replace(
    /\{(code|project|minutes|amount|payee)\}/g,
    (_, name: string) => values[name] ?? '',
  );
  return { title: titles[message.locale], text: medium === 'sms' ? text.replaceAll(APOSTROPHES, "'") : text };
}

function templateOf({ locale, purpose, payment }: CodeWords, templates: Templates): string {
  const standard = payment ? moneyTexts : (textsByPurpose.get(purpose) ?? textDefaults);
  const template = templates[locale] ?? standard[locale];
  if (!payment) return template;
  const missing = (['{amount}', '{payee}'] as const).filter((name) => !template.includes(name));
  return template + missing.map((name) => moneyWords[locale][name]).join('');
}

import { z } from 'zod';
import type { CodeTexts } from '../shared/code-texts.ts';
import { Locale } from '../shared/locale.ts';
import { amountText, type Payment } from '../shared/payment.ts';

/** `{code}`, `{project}`, `{minutes}`, `{amount}` and `{payee}` are filled in; a template without `{code}` is refused when it is set. */
const Template = z
  .string()
  .max(480) // Three concatenated SMS of a GSM alphabet: longer texts are cut or refused by operators.
  .refine((text) => text.includes('{code}'), { error: 'a template must contain {code}' });

export const Templates = z.partialRecord(Locale, Template);
export type Templates = z.infer<typeof Templates>;

const textDefaults: CodeTexts = {
  uz: '{project}: tasdiqlash kodingiz {code}. {minutes} daqiqa amal qiladi. Uni hech kimga aytmang.',
  ru: '{project}: код {code}, {minutes} мин. Никому не сообщайте.',
  en: "{project}: your code is {code}. Expires in {minutes} min. Don't share it.",
};

const moneyTexts: CodeTexts = {
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

const titles: Readonly<Record<Locale, string>> = {
  uz: 'Tasdiqlash kodi',
  ru: 'Код подтверждения',
  en: 'Your code',
};

export interface CodeWords {
  readonly code: string;
  readonly project: string;
  /** The texts of its purpose, where that has its own. */
  readonly purposeTexts: CodeTexts | null;
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

function templateOf({ locale, purposeTexts, payment }: CodeWords, templates: Templates): string {
  const standard = payment ? moneyTexts : (purposeTexts ?? textDefaults);
  const template = templates[locale] ?? standard[locale];
  if (!payment) return template;
  const missing = (['{amount}', '{payee}'] as const).filter((name) => !template.includes(name));
  return template + missing.map((name) => moneyWords[locale][name]).join('');
}

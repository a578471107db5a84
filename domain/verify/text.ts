import { z } from 'zod';
import type { CodeTexts } from '../shared/code-texts.ts';
import { Locale } from '../shared/locale.ts';
import { amountText, type Payment } from '../shared/payment.ts';
import { hiddenLetter } from '../shared/visible-line.ts';

const VARIABLES = ['{code}', '{project}', '{minutes}', '{amount}', '{payee}'] as const;

/** A template without `{code}` is refused when it is set. */
const Template = z
  .string()
  .max(480) // Three concatenated SMS of a GSM alphabet: longer texts are cut or refused by operators.
  .refine((text) => text.includes('{code}'), { error: 'a template must contain {code}' });

export const Templates = z.partialRecord(Locale, Template);
export type Templates = z.infer<typeof Templates>;

/** As a project sets them. What was stored before names and letters were checked is still read. */
export const NewTemplates = z.partialRecord(
  Locale,
  Template.superRefine(refuseUnknown).superRefine(refuseHidden),
);

/** A person would read something else than what was sent, or than what a colleague approved. */
function refuseHidden(template: string, context: z.RefinementCtx<string>): void {
  const hidden = hiddenLetter(template);
  if (hidden !== null)
    context.addIssue({
      code: 'custom',
      message: `expected visible text: ${hidden} is not seen, or turns the direction of writing. Take it out; a new line is U+000A alone`,
    });
}

/** A misspelt name would be sent as it is, to everybody. */
function refuseUnknown(template: string, context: z.RefinementCtx<string>): void {
  const unknown = new Set(template.match(/\{[^{}]*\}/g)?.filter((name) => !isVariable(name)));
  for (const name of unknown)
    context.addIssue({
      code: 'custom',
      message: `${name} is no variable: expected ${VARIABLES.slice(0, -1).join(', ')} or ${VARIABLES.at(-1)}, in these letters. Correct the name, or write it without braces`,
    });
}

const isVariable = (name: string): boolean => VARIABLES.some((each) => each === name);

/** One SMS each with a name of 20 characters: 160 Latin letters, or 70 where one is Cyrillic, so that those say less. */
const textDefaults: CodeTexts = {
  uz: '{project}: kod {code}, {minutes} daqiqa. Hech kimga aytmang.',
  ru: '{project}: код {code}, {minutes} мин. Никому не сообщайте.',
  en: "{project}: code {code}, {minutes} min. Don't share it.",
  'uz-Cyrl': '{project}: код {code}, {minutes} дақиқа. Ҳеч кимга айтманг.',
  kk: '{project}: растау коды {code}, {minutes} мин. Ешкімге айтпаңыз.',
  ky: '{project}: код {code}, {minutes} мүнөт. Эч кимге айтпаңыз.',
  tg: '{project}: коди тасдиқ {code}, {minutes} дақиқа. Ба касе нагӯед.',
};

const moneyTexts: CodeTexts = {
  uz: '{project}: {amount} to‘lov, oluvchi {payee}. Tasdiqlash kodi {code}, {minutes} daqiqa amal qiladi. Uni hech kimga aytmang.',
  ru: '{project}: платёж {amount}, получатель {payee}. Код {code}, {minutes} мин. Никому не сообщайте.',
  en: "{project}: payment of {amount} to {payee}. Your code is {code}. Expires in {minutes} min. Don't share it.",
  'uz-Cyrl': '{project}: {amount} тўлов, олувчи {payee}. Код {code}, {minutes} дақиқа. Ҳеч кимга айтманг.',
  kk: '{project}: {amount} төлем, алушы {payee}. Код {code}, {minutes} мин. Ешкімге айтпаңыз.',
  ky: '{project}: {amount} төлөм, алуучу {payee}. Код {code}, {minutes} мүнөт. Эч кимге айтпаңыз.',
  tg: '{project}: пардохти {amount}, гиранда {payee}. Код {code}, {minutes} дақиқа. Ба касе нагӯед.',
};

/** What a project's own template left out: nobody approves a payment that they were not shown. */
const moneyWords: Readonly<Record<Locale, Readonly<Record<'{amount}' | '{payee}', string>>>> = {
  uz: { '{amount}': ' Summa: {amount}.', '{payee}': ' Oluvchi: {payee}.' },
  ru: { '{amount}': ' Сумма: {amount}.', '{payee}': ' Получатель: {payee}.' },
  en: { '{amount}': ' Amount: {amount}.', '{payee}': ' Payee: {payee}.' },
  'uz-Cyrl': { '{amount}': ' Сумма: {amount}.', '{payee}': ' Олувчи: {payee}.' },
  kk: { '{amount}': ' Сомасы: {amount}.', '{payee}': ' Алушы: {payee}.' },
  ky: { '{amount}': ' Суммасы: {amount}.', '{payee}': ' Алуучу: {payee}.' },
  tg: { '{amount}': ' Маблағ: {amount}.', '{payee}': ' Гиранда: {payee}.' },
};

const titles: Readonly<Record<Locale, string>> = {
  uz: 'Tasdiqlash kodi',
  ru: 'Код подтверждения',
  en: 'Your code',
  'uz-Cyrl': 'Тасдиқлаш коди',
  kk: 'Растау коды',
  ky: 'Ырастоо коду',
  tg: 'Коди тасдиқ',
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

/** What a project sets about the texts of its codes. */
export interface TextSettings {
  readonly templates: Templates;
  readonly sms_web_origin: string | null;
  readonly sms_app_hash: string | null;
}

const APOSTROPHES = /[\u02bb\u02bc\u2018\u2019]/g;

/**
 * The message a person reads. `ttlSeconds` is rounded up to whole minutes. In an SMS every apostrophe is the ASCII one, and the last
 * line is for the program that fills the code in.
 */
export function codeText(
  message: CodeWords,
  settings: TextSettings,
  medium: TextMedium,
): { title: string; text: string } {
  const { payment } = message;
  const values: Record<string, string> = {
    code: message.code,
    project: message.project,
    minutes: String(Math.max(1, Math.ceil(message.ttlSeconds / 60))),
    ...(payment ? { amount: amountText(payment), payee: payment.payee } : {}),
  };
  const text = templateOf(message, settings.templates).replace(
    /\{(code|project|minutes|amount|payee)\}/g,
    (_, name: string) => values[name] ?? '',
  );
  const title = titles[message.locale];
  if (medium === 'screen') return { title, text };
  return { title, text: text.replaceAll(APOSTROPHES, "'") + autofillLine(message.code, settings) };
}

/**
 * `@example.com #123456 FA+9qCX9VSu`, or the one of both that the project has. A browser reads host and code off the last line and
 * ignores what follows them (WICG, Origin-bound one-time codes delivered via SMS, 4.2). Google's SMS Retriever asks for the hash of the
 * app within the message, and asked for it at its end before. So one line is read by both.
 *
 * A project may name any host: the code is its own and checks nowhere else, so that another's page has no use for it.
 */
function autofillLine(code: string, { sms_web_origin: host, sms_app_hash: appHash }: TextSettings): string {
  const bound = host === null ? [] : [`@${host} #${code}`];
  const parts = [...bound, ...(appHash === null ? [] : [appHash])];
  return parts.length === 0 ? '' : `\n${parts.join(' ')}`;
}

function templateOf({ locale, purposeTexts, payment }: CodeWords, templates: Templates): string {
  const standard = payment ? moneyTexts : (purposeTexts ?? textDefaults);
  const template = templates[locale] ?? standard[locale];
  if (!payment) return template;
  const missing = (['{amount}', '{payee}'] as const).filter((name) => !template.includes(name));
  return template + missing.map((name) => moneyWords[locale][name]).join('');
}

import type { SettingWarning } from '../project/settings.ts';
import { Locale } from '../shared/locale.ts';
import type { Payment } from '../shared/payment.ts';
import { type SmsSize, smsSize } from '../shared/sms-segments.ts';
import { CODE_DIGITS_MAX } from '../shared/typed-code.ts';
import { CODE_DIGITS_DEFAULT, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX } from './send-command.ts';
import { codeText, type TextSettings } from './text.ts';

/** Google's SMS Retriever passes on messages of up to 140 bytes, and does not say in which encoding: the longest is UTF-8 or one SMS. */
const RETRIEVER_BYTES_MAX = 140;

/** An SMS in one language, as the settings word it. */
export interface TextPreview {
  readonly locale: Locale;
  /** By the project's own template. */
  readonly isOwn: boolean;
  /** Of an ordinary code: six digits, five minutes. */
  readonly text: string;
  readonly usual: SmsSize;
  /** With the longest code and two digits of minutes. */
  readonly longest: SmsSize;
  /** Whether the SMS Retriever passes even the longest on to the app; null where no app is named. */
  readonly isRetrieved: boolean | null;
}

/** What an SMS says in each language under the name that people read; of a payment, where there is one. */
export const textPreviews = (
  project: string,
  settings: TextSettings,
  payment: Payment | null,
): readonly TextPreview[] => Locale.options.map((locale) => previewOf(project, settings, payment, locale));

function previewOf(
  project: string,
  settings: TextSettings,
  payment: Payment | null,
  locale: Locale,
): TextPreview {
  const filled = (digits: number, ttlSeconds: number): string => {
    const code = '1234567890'.slice(0, digits);
    const words = { code, project, purposeTexts: null, payment, ttlSeconds, locale };
    return codeText(words, settings, 'sms').text;
  };
  const text = filled(CODE_DIGITS_DEFAULT, TTL_SECONDS_DEFAULT);
  const longestText = filled(CODE_DIGITS_MAX, TTL_SECONDS_MAX);
  const longest = smsSize(longestText);
  const bytes = new TextEncoder().encode(longestText).length;
  return {
    locale,
    isOwn: settings.templates[locale] !== undefined,
    text,
    usual: smsSize(text),
    longest,
    isRetrieved:
      settings.sms_app_hash === null ? null : longest.segments === 1 && bytes <= RETRIEVER_BYTES_MAX,
  };
}

/** What a project may not expect of a text of its own, or of the standard one. */
export const textWarnings = (project: string, settings: TextSettings): SettingWarning[] => [
  ...sizeWarnings(project, settings),
  ...boundElsewhere(project, settings),
];

/** The last line as browsers read it (WICG, Origin-bound one-time codes delivered via SMS, 4.2): what follows the code is ignored. */
const BOUND_LINE = /(?:^|\n)@(\S+) #\S+[^\n]*$/;

/** A template may have that line itself, whose host then fills in the code: the project is told where it is not the one it has set. */
function boundElsewhere(project: string, settings: TextSettings): SettingWarning[] {
  const bare = { ...settings, sms_web_origin: null, sms_app_hash: null };
  return Locale.options.flatMap((locale) => {
    const { isOwn, text } = previewOf(project, bare, null, locale);
    const host = isOwn ? BOUND_LINE.exec(text.trimEnd())?.[1]?.toLowerCase() : undefined;
    if (host === undefined || host === settings.sms_web_origin) return [];
    const detail = `The template ${locale} ends in a line that browsers read: they fill the code in on pages of ${JSON.stringify(host)}, which is not sms_web_origin. Leave the line out and set sms_web_origin to your host: it is then added to every SMS.`;
    const { segments } = previewOf(project, settings, null, locale).longest;
    return [{ pointer: `/settings/templates/${locale}`, segments, detail }];
  });
}

/** A text that is billed as more than one SMS, or that the app of the project does not get. A payment's is longer than one anyway. */
function sizeWarnings(project: string, settings: TextSettings): SettingWarning[] {
  const bare = { ...settings, sms_web_origin: null, sms_app_hash: null };
  return Locale.options.flatMap((locale) => {
    const preview = previewOf(project, settings, null, locale);
    const { longest, isOwn, isRetrieved } = preview;
    if (longest.segments === 1 && isRetrieved !== false) return [];
    const isBareOne = previewOf(project, bare, null, locale).longest.segments === 1;
    const line = settings.sms_web_origin === null ? 'sms_app_hash' : 'sms_web_origin';
    const cause = isBareOne ? line : 'display_name';
    const pointer = isOwn ? `/settings/templates/${locale}` : `/settings/${cause}`;
    return [{ pointer, segments: longest.segments, detail: detailOf(project, settings, preview) }];
  });
}

function detailOf(
  project: string,
  { sms_web_origin: host, sms_app_hash: appHash }: TextSettings,
  { locale, isOwn, longest, isRetrieved }: TextPreview,
): string {
  const what = isOwn ? `The template ${locale}` : `The standard text in ${locale}`;
  const line = host === null && appHash === null ? '' : ', the last line that programs read';
  const billed = `${what} is billed as ${longest.segments} SMS: with the name ${JSON.stringify(project)} (${project.length} characters)${line} and a code of ${CODE_DIGITS_MAX} digits it has ${longest.length} characters. One SMS holds 160 of the GSM alphabet, or 70 where one letter is none of it (Cyrillic, emoji).`;
  const unread = `Android's SMS Retriever passes no message of more than ${RETRIEVER_BYTES_MAX} bytes on to the app: write a shorter template.`;
  return isRetrieved === false ? `${billed} ${unread}` : billed;
}

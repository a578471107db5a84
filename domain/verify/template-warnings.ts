import { CODE_DIGITS_MAX } from '../shared/typed-code.ts';
import { smsSegments } from '../shared/sms-segments.ts';
import { codeText, type Templates } from './text.ts';
import type { SettingWarning } from '../project/settings.ts';
import { Locale } from '../shared/locale.ts';

/** Two digits of minutes: up to an hour and a half, as long as a code may live. */
const MINUTES_SECONDS_LONGEST = 600;

/**
 * A text that is billed as more than one SMS, measured with this project's name, the longest code and two digits of minutes. Amount and
 * payee come on top; their texts are longer than one SMS anyway.
 */
export function templateWarnings(project: string, templates: Templates): SettingWarning[] {
  return Locale.options.flatMap((locale) => {
    const words = {
      code: '8'.repeat(CODE_DIGITS_MAX),
      project,
      purposeTexts: null,
      payment: null,
      ttlSeconds: MINUTES_SECONDS_LONGEST,
      locale,
    };
    const { text } = codeText(words, templates, 'sms');
    const segments = smsSegments(text);
    if (segments === 1) return [];
    const isOwn = templates[locale] !== undefined;
    const what = isOwn ? `The template ${locale}` : `The standard text in ${locale}`;
    return [
      {
        pointer: isOwn ? `/settings/templates/${locale}` : '/settings/display_name',
        segments,
        detail: `${what} is billed as ${segments} SMS: with the name ${JSON.stringify(project)} (${project.length} characters) and a code of ${CODE_DIGITS_MAX} digits it has ${text.length} characters. One SMS holds 160 of the GSM alphabet, or 70 where one letter is none of it (Cyrillic, ʻ, emoji).`,
      },
    ];
  });
}

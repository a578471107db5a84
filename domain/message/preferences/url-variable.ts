import type { PushContent } from '../push/message.ts';
import type { TelegramContent } from '../../telegram/message.ts';

/** In a text: the address of its reader's own preferences page, filled in as the message is sent. */
const VARIABLE = '{preferences_url}';
/** Longer than any that we make: 48 characters of token behind our origin and path. */
const PREFERENCES_URL_CHARS_MAX = 160;
const sampleUrl = 'https://navbat.example/preferences/'.padEnd(PREFERENCES_URL_CHARS_MAX, 'x');

type Content = TelegramContent | PushContent;

/** Telegram takes any ASCII sign behind a backslash as itself, in texts and in addresses of links. */
const written = (url: string, format: TelegramContent['format']) =>
  format === 'markdown' ? url.replaceAll(/[!-/:-@[-`{-~]/g, String.raw`\$&`) : url;

const inText = <Text extends Pick<TelegramContent, 'text' | 'format'>>(content: Text, url: string): Text => ({
  ...content,
  text: content.text.replaceAll(VARIABLE, () => written(url, content.format)),
});

/** As long as it can become, for whoever looks at lengths. */
export const withSampleUrl = <Text extends Pick<TelegramContent, 'text' | 'format'>>(content: Text): Text =>
  inText(content, sampleUrl);

export const hasPreferencesUrl = (content: Content): boolean => JSON.stringify(content).includes(VARIABLE);

export function withPreferencesUrl<Of extends Content>(content: Of, url: string): Of {
  if ('text' in content) return { ...content, ...inText(content, url) };
  const filled = (text: string) => text.replaceAll(VARIABLE, () => url);
  const { notification, data } = content;
  return {
    ...content,
    ...(notification && {
      notification: {
        ...notification,
        title: filled(notification.title),
        ...(notification.body !== undefined && { body: filled(notification.body) }),
      },
    }),
    ...(data && {
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, filled(text)])),
    }),
  };
}

/** A push with the variable in as long as it can become. */
export const withSamplePushUrl = (content: PushContent): PushContent =>
  withPreferencesUrl(content, sampleUrl);

import { z } from 'zod';
import { onceValid } from '../shared/refine.ts';
import { parseText, TEXT_UNITS_MAX } from './markup.ts';

/** Characters of a text with its markup, which may be several times as long as what is shown. */
const SOURCE_CHARS_MAX = 16_384;
/** Buttons that a phone can show without becoming a wall. */
const BUTTON_ROWS_MAX = 10;
const BUTTONS_IN_ROW_MAX = 8;
const BUTTON_TEXT_MAX = 64;
/** Of callback_data (Bot API, InlineKeyboardButton). */
export const CALLBACK_DATA_BYTES_MAX = 64;

const Button = z
  .strictObject({
    text: z.string().min(1).max(BUTTON_TEXT_MAX),
    url: z.url({ protocol: /^(https?|tg)$/ }).optional(),
    callback_data: z
      .string()
      .min(1)
      .max(CALLBACK_DATA_BYTES_MAX)
      .refine((data) => new TextEncoder().encode(data).length <= CALLBACK_DATA_BYTES_MAX, {
        error: `expected at most ${CALLBACK_DATA_BYTES_MAX} bytes of UTF-8, in which a Cyrillic letter takes two and an emoji four`,
      })
      .optional()
      .meta({ description: `At most ${CALLBACK_DATA_BYTES_MAX} bytes of UTF-8.` }),
  })
  .refine((button) => (button.url === undefined) !== (button.callback_data === undefined), {
    ...onceValid,
    error: 'expected url or callback_data, and not both',
  });

/** What a Telegram message says, whoever it goes to. */
export const TelegramContent = z.strictObject({
  text: z
    .string()
    .min(1)
    .max(SOURCE_CHARS_MAX)
    .meta({
      description: `At most ${TEXT_UNITS_MAX} characters once the markup is read, in UTF-16 units: an emoji is two or more. Markup that Telegram cannot read is refused.`,
    }),
  /** `plain` shows the text as it is; the others are the Bot API's own syntaxes. */
  format: z.enum(['plain', 'html', 'markdown']).default('plain'),
  buttons: z.array(z.array(Button).min(1).max(BUTTONS_IN_ROW_MAX)).max(BUTTON_ROWS_MAX).optional().meta({
    description:
      'Rows of inline buttons. A press of one with `callback_data` is answered by Navbat and comes to you as the event `telegram.callback`.',
  }),
  silent: z.boolean().default(false).meta({ description: 'Delivered without a sound.' }),
});
export type TelegramContent = z.infer<typeof TelegramContent>;

/** The Bot API's names of the formats; `plain` has none. */
export const parseModes = {
  plain: undefined,
  html: 'HTML',
  markdown: 'MarkdownV2',
} as const satisfies Record<TelegramContent['format'], string | undefined>;

/** Why Telegram would refuse the text, for whoever wrote it; null where it would not. */
export function textFault({ text, format }: Pick<TelegramContent, 'text' | 'format'>): string | null {
  const formatted = parseText(text, parseModes[format]);
  if ('problem' in formatted)
    return `expected ${format} that Telegram can read: ${formatted.problem}. Escape what is no markup, or send format "plain"`;
  const units = formatted.text.length;
  if (units > TEXT_UNITS_MAX)
    return `expected at most ${TEXT_UNITS_MAX} characters once the markup is read, not ${units}`;
  return formatted.text.trim() === '' ? 'expected a text that shows something' : null;
}

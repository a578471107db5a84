import { z } from 'zod';
import { onceValid } from '../refine.ts';

/** Characters of a text after entities are parsed (Bot API, sendMessage). */
const TEXT_MAX = 4_096;
/** Buttons that a phone can show without becoming a wall. */
const BUTTON_ROWS_MAX = 10;
const BUTTONS_IN_ROW_MAX = 8;
const BUTTON_TEXT_MAX = 64;
/** Bytes of callback_data (Bot API). */
const CALLBACK_DATA_MAX = 64;

const Button = z
  .strictObject({
    text: z.string().min(1).max(BUTTON_TEXT_MAX),
    url: z.url({ protocol: /^(https?|tg)$/ }).optional(),
    callback_data: z.string().min(1).max(CALLBACK_DATA_MAX).optional(),
  })
  .refine((button) => (button.url === undefined) !== (button.callback_data === undefined), {
    ...onceValid,
    error: 'expected url or callback_data, and not both',
  });

/** What a Telegram message says, whoever it goes to. */
export const TelegramContent = z.strictObject({
  text: z.string().min(1).max(TEXT_MAX),
  /** `plain` shows the text as it is; the others are the Bot API's own syntaxes. */
  format: z.enum(['plain', 'html', 'markdown']).default('plain'),
  buttons: z
    .array(z.array(Button).min(1).max(BUTTONS_IN_ROW_MAX))
    .max(BUTTON_ROWS_MAX)
    .optional()
    .meta({ description: 'Rows of inline buttons.' }),
  silent: z.boolean().default(false).meta({ description: 'Delivered without a sound.' }),
});
export type TelegramContent = z.infer<typeof TelegramContent>;

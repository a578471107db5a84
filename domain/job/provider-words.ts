/** Enough for the sentence that says what is wrong; pages and events show it on one line. */
const WORDS_CHARS_MAX = 200;

/** Control, format and separator characters: one line, with nothing invisible in it. */
const invisible = /[\p{C}\p{Z}]+/gu;
const link = /[a-z][a-z0-9+.-]*:\/\/\S+/giu;
const email = /[^\s@"'<>]+@[^\s@"'<>]+/gu;
/** Tokens, keys and ids: longer than any word of an error text. */
const token = /[A-Za-z0-9_:%/+=.-]{25,}/gu;
/** Codes, phones and chats: four digits or more, however they are grouped. A place in the message’s own text is none, nor is Twilio’s own error code. */
const number = /((?:offset |^Twilio )\p{Nd}+)|\+?\p{Nd}(?:[\s().-]?\p{Nd}){3,}/gu;

/**
 * What a provider said, fit for people and logs: one line, bounded, without what may name a person or open a door. Undefined where
 * nothing is left.
 */
export function providerWords(said: string): string | undefined {
  const line = said
    // Far more than is kept; what follows costs time by length.
    .slice(0, 10 * WORDS_CHARS_MAX)
    .replace(invisible, ' ')
    .replace(link, '[link]')
    .replace(email, '[e-mail]')
    .replace(token, '[token]')
    .replace(number, (_match, place?: string) => place ?? '[number]')
    .trim();
  const characters = Array.from(line);
  if (characters.length === 0) return undefined;
  return characters.length <= WORDS_CHARS_MAX
    ? line
    : `${characters
        .slice(0, WORDS_CHARS_MAX - 1)
        .join('')
        .trimEnd()}…`;
}

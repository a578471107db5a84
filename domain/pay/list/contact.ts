/**
 * Payees read the purpose of a payment beside our link, in a message of ours. What leads them elsewhere must not stand there: the address of
 * a page, a name at Telegram or an e-mail, a phone number to call. Programs make links of all of them.
 */

const SCHEME = /:\/\/|(?<![\p{L}\p{N}])(?:www\.|(?:mailto|tel|sms|tg|viber|whatsapp):\S)/iu;
/** A name at Telegram has five characters and more; of an e-mail it is what follows the sign. */
const HANDLE = /@[\p{L}\p{N}_]{3}/u;
/** With its country: `+` and nine digits at least, or ours without the plus. Other digits may be a contract's. */
const PHONE = /\+\(?\d(?:[\s().-]{0,2}\d){8}|(?<!\d)998(?:[\s().-]{0,2}\d){9}(?!\d)/;
const IP_ADDRESS = /(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d.])/;
/** Labels of a host, with a dot between them. */
const DOTTED = /[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;

/** Of these each name is a host, however short and in whatever case. Of all others see `isHost`: there are more than a thousand. */
const COMMON_TOPS = new Set(
  `com net org info biz uz ru su kz kg tj tm by ua am az ge eu us uk fr tr cn jp kr ae io me ai co to cc tv ly gg gl gd is fm app dev xyz top
  site online shop store club link click live pro mobi web website space tech fun icu vip win bid loan loans asia page pay bank money cash
  рф рус бел укр қаз мкд мон срб дети онлайн сайт орг ком москва`.split(/\s+/),
);
const PUNYCODE = /^xn--/i;
const LATIN_WORD = /^[a-z]{2,24}$/i;
/** `Sh.Rashidov`, `A.Karimov`, `ul.Navoi`, `SH.RASHIDOV`: an initial or an abbreviation in front of a name. */
const SHORT_WORD = /^\p{L}{1,2}$/u;
const BEGINS_LARGE = /^\p{Lu}/u;

/** Whether `label.top` is taken for the address of a page. Words of a sentence are, where no space follows its full stop. */
function isHost(label: string, top: string): boolean {
  if (COMMON_TOPS.has(top.toLowerCase()) || PUNYCODE.test(top)) return true;
  if (!LATIN_WORD.test(top) || label.length < 2) return false;
  return !(SHORT_WORD.test(label) && BEGINS_LARGE.test(top));
}

const hasHost = (text: string): boolean =>
  (text.match(DOTTED) ?? []).some((dotted) => {
    const labels = dotted.split('.');
    return labels.some((label, place) => isHost(label, labels[place + 1] ?? ''));
  });

/** Letters and dots of any width are read as such; `№`, which would become letters, stays a sign. */
export function holdsContact(said: string): boolean {
  const text = said.replaceAll('№', ' ').normalize('NFKC').replaceAll('。', '.');
  return SCHEME.test(text) || HANDLE.test(text) || PHONE.test(text) || IP_ADDRESS.test(text) || hasHost(text);
}

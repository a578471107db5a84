import { escapeHtml } from '../../http/escape-html.ts';
import type { LinkView } from '../../../domain/pay/link/port.ts';
import { uzsOfTiyin } from '../../../domain/pay/list/limits.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { linkWords, type Notice, type PageLocale } from './payout-link-words.ts';

const STYLE = `:root { color-scheme: light dark }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; line-height: 1.3 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.4rem 1rem; margin: 1rem 0 }
dt { opacity: 0.75 }
dd { margin: 0 }
.amount { font-size: 1.3rem; font-weight: 600 }
button, a.button { font: inherit; display: inline-block; padding: 0.6rem 1.4rem; border: 0; border-radius: 0.5rem; background: #1456c4; color: #fff; text-decoration: none }
p[role=status] { border-left: 0.3rem solid #1a7f37; padding: 0.3rem 0.8rem }
p[role=alert] { border-left: 0.3rem solid #c62828; padding: 0.3rem 0.8rem }
.hint { opacity: 0.8 }`;

interface Frame {
  readonly locale: PageLocale;
  readonly title: string;
  readonly body: string;
  /** Where the browser goes by itself. */
  readonly goesTo?: string;
}

const frame = ({ locale, title, body, goesTo }: Frame) => `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
${goesTo === undefined ? '' : `<meta http-equiv="refresh" content="0; url=${escapeHtml(goesTo)}">\n`}<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
${locale === 'uz' ? '<p><a href="?lang=ru" lang="ru">Русский</a></p>' : '<p><a href="?lang=uz" lang="uz">O‘zbekcha</a></p>'}
</body>
</html>
`;

/** `1 234 500.00`: a space that does not break between the thousands. */
const amountText = (tiyin: bigint) => uzsOfTiyin(tiyin).replaceAll(/\B(?=(?:\d{3})+\.)/g, '\u00A0');

/** What the payment is, and a button to the rail's own form; or why there is none any more. */
export function payoutLinkPage(view: LinkView, locale: PageLocale, notice: Notice | null = null): string {
  const said = linkWords[locale];
  const told = notice === null ? '' : `<p role="alert">${said.notices[notice]}</p>\n`;
  const row = (term: string, text: string) => `<dt>${term}</dt><dd>${escapeHtml(text)}</dd>`;
  const facts = `<dl>
<dt>${said.amount}</dt><dd class="amount">${amountText(view.amount)} ${said.currency}</dd>
${row(said.payer, view.payer)}
${view.purpose === null ? '' : row(said.purpose, view.purpose)}
${row(said.phone, maskPhone(view.phone))}
</dl>`;
  if (view.state !== 'live') {
    const role = view.state === 'bound' || view.state === 'paid' ? 'status' : 'alert';
    const card = view.last4 === null ? '' : `\n<p>${said.card} •••• ${view.last4}</p>`;
    const shownFacts = role === 'status' ? `${facts}${card}` : '';
    return frame({
      locale,
      title: said.title,
      body: `<p role="${role}">${said.states[view.state]}</p>\n${shownFacts}`,
    });
  }
  const until = view.expiresAt.toLocaleDateString('ru-RU', { timeZone: 'Asia/Tashkent' });
  const form = `<form method="post" action="?lang=${locale}">
<button type="submit">${said.bind}</button>
</form>
<p class="hint">${said.form}</p>
<p class="hint">${said.until(until)}</p>`;
  return frame({ locale, title: said.title, body: `${told}${facts}\n${form}` });
}

/** On the way to the rail's form. A page, since a policy that lets a form post to ourselves alone would stop the redirect. */
export function toFormPage(formUrl: string, locale: PageLocale): string {
  const said = linkWords[locale];
  const body = `<p><a class="button" href="${escapeHtml(formUrl)}" rel="noreferrer">${said.toForm}</a></p>`;
  return frame({ locale, title: said.title, body, goesTo: formUrl });
}

export function unknownLinkPage(locale: PageLocale): string {
  const said = linkWords[locale];
  return frame({ locale, title: said.title, body: `<p role="alert">${said.unknown}</p>` });
}

import { escapeHtml } from '../../http/escape-html.ts';
import { type Category, titleOf } from '../../../domain/message/preferences/category.ts';
import type { PreferencesDoor } from '../../../domain/message/preferences/port.ts';
import { quietHoursText, ZONE_DEFAULT } from '../../../domain/message/preferences/quiet-hours.ts';
import type { Locale } from '../../../domain/shared/locale.ts';
import { pageWords } from './preferences-words.ts';

const STYLE = `:root { color-scheme: light dark }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; line-height: 1.3 }
fieldset { border: 1px solid #8886; border-radius: 0.5rem; margin: 1rem 0; padding: 0.5rem 1rem }
legend { font-weight: 600 }
label { display: block; padding: 0.5rem 0 }
label.box { display: flex; align-items: baseline }
label.time { display: inline-block; margin-right: 1rem }
input[type=checkbox] { flex: none; width: 1.2rem; height: 1.2rem; margin: 0 0.6rem 0 0; position: relative; top: 0.2rem }
input[type=time], input[type=text] { font: inherit; padding: 0.3rem; max-width: 100% }
button { font: inherit; padding: 0.6rem 1.4rem; border: 0; border-radius: 0.5rem; background: #1456c4; color: #fff }
p[role=status] { border-left: 0.3rem solid #1a7f37; padding: 0.3rem 0.8rem }
p[role=alert] { border-left: 0.3rem solid #c62828; padding: 0.3rem 0.8rem }
.hint { opacity: 0.8; margin: 0.25rem 0 }`;

const frame = (locale: Locale, title: string, body: string) => `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;

const checkbox = (name: string, value: string, isChecked: boolean, label: string) =>
  `<label class="box"><input type="checkbox" name="${name}" value="${escapeHtml(value)}"${isChecked ? ' checked' : ''}>${escapeHtml(label)}</label>`;

const hidden = (name: string, value: string) =>
  `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`;
/** In each form of ours, the last field of it: with it the whole form has come. */
export const FORM_NAME = 'preferences';

/** To choose from while one types: nobody knows how a zone is written. */
const zones = Intl.supportedValuesOf('timeZone')
  .map((zone) => `<option value="${zone}">`)
  .join('');

/** Shown where nothing is quiet yet: what most people choose. */
const NIGHT = { from: '22:00', to: '08:00' };

/**
 * A form that works without a script; it posts to its own address.
 *
 * @param posted quiet hours that could not be read: shown again as they were typed.
 */
export function preferencesPage(
  door: PreferencesDoor,
  told: 'saved' | 'wrong' | 'unread' | null,
  posted: URLSearchParams | null = null,
): string {
  const { locale, preferences, projectName } = door;
  const said = pageWords[locale];
  const { optedOutAt, categoriesOff } = preferences;
  const one = (category: Category) =>
    hidden('shown', category.name) +
    checkbox('on', category.name, !categoriesOff.includes(category.name), titleOf(category, locale));
  const notice =
    told === null ? '' : `<p role="${told === 'saved' ? 'status' : 'alert'}">${said[told]}</p>\n`;
  return frame(
    locale,
    said.title(projectName),
    `${notice}<p>${said.codes}</p>
<form method="post">
<fieldset>
<legend>${said.categories}</legend>
${door.categories.map(one).join('\n')}
</fieldset>
${quietFields(door, posted)}
<fieldset>
${checkbox('none', 'on', optedOutAt !== null, said.none)}
</fieldset>
${hidden('form', FORM_NAME)}
<button type="submit">${said.save}</button>
</form>`,
  );
}

function quietFields({ locale, preferences }: PreferencesDoor, posted: URLSearchParams | null): string {
  const said = pageWords[locale];
  const { quietHours, timeZone } = preferences;
  const hours = {
    ...(quietHours ? quietHoursText(quietHours) : NIGHT),
    zone: timeZone ?? ZONE_DEFAULT,
    ...(posted && {
      from: posted.get('from') ?? '',
      to: posted.get('to') ?? '',
      zone: posted.get('zone') ?? '',
    }),
  };
  const time = (name: 'from' | 'to') =>
    `<label class="time">${said[name]} <input type="time" name="${name}" value="${escapeHtml(hours[name])}" required></label>`;
  return `<fieldset>
<legend>${said.quietTitle}</legend>
${checkbox('quiet', 'on', quietHours !== null || posted !== null, said.quiet)}
${time('from')}${time('to')}
<label>${said.zone} <input type="text" name="zone" value="${escapeHtml(hours.zone)}" placeholder="${ZONE_DEFAULT}" list="zones" maxlength="64" required></label>
<datalist id="zones">${zones}</datalist>
<p class="hint">${said.quietHint}</p>
</fieldset>`;
}

/** Whose link it was is not known here: said in each language. */
export const goneLinkPage = (): string =>
  frame(
    'uz',
    'Navbat',
    Object.entries(pageWords)
      .map(([locale, { gone }]) => `<p lang="${locale}">${gone}</p>`)
      .join('\n'),
  );

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const month = `(?<month>${MONTHS.join('|')})`;
const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;

/** RFC 9110 §5.6.7: the one form that is sent today, and the two that everybody must still read. */
const dateForms = [
  new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) ${month} (?<year>\d{4}) ${time} GMT$`),
  new RegExp(
    String.raw`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-${month}-(?<year>\d\d) ${time} GMT$`,
  ),
  new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})$`),
];

/**
 * `Retry-After` (RFC 9110 §10.2.3): whole seconds, or an HTTP date.
 *
 * @returns milliseconds from now, 0 for a date that is past, at most `maxMs`; undefined where the header says neither.
 */
export function retryAfterMs(
  header: string | null | undefined,
  now: Date,
  maxMs: number,
): number | undefined {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : httpDateMs(text, now) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxMs);
}

/** NaN where it is none, or no day of any calendar. */
function httpDateMs(text: string, now: Date): number {
  const parts = dateForms.map((form) => form.exec(text)?.groups).find((groups) => groups);
  if (!parts) return Number.NaN;
  const part = (name: string) => Number(parts[name]);
  const monthIndex = MONTHS.indexOf(parts['month'] ?? '');
  const year = yearOf(parts['year'] ?? '', now);
  // 60: a leap second.
  if (part('hour') > 23 || part('minute') > 59 || part('second') > 60) return Number.NaN;
  const ms = Date.UTC(year, monthIndex, part('day'), part('hour'), part('minute'), part('second'));
  const midnight = new Date(Date.UTC(year, monthIndex, part('day')));
  return midnight.getUTCMonth() === monthIndex ? ms : Number.NaN;
}

/** Two digits that would be more than 50 years ahead mean the last year that ended so (RFC 9110 §5.6.7). */
function yearOf(digits: string, now: Date): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = now.getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}

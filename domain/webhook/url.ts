/** Longer than any honest address; browsers and proxies stop at about the same. */
const URL_CHARS_MAX = 2_048;
const PORT_UNPRIVILEGED_MIN = 1_024;
/** Below them listen mail, shells and databases of old, which must not be talked to in HTTP. */
const portsAllowed: ReadonlySet<number> = new Set([80, 443]);

export interface UrlRules {
  /** Development: plain http, and addresses of this machine and its network. */
  readonly allowPrivate: boolean;
}

/** What is wrong with an address that a customer gives for its callbacks, or null. Where its name leads is asked at each call. */
export function callbackUrlFault(text: string, { allowPrivate }: UrlRules): string | null {
  if (text.length > URL_CHARS_MAX) return `expected at most ${URL_CHARS_MAX} characters`;
  if (!URL.canParse(text)) return 'expected an absolute URL, such as https://example.com/navbat';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) return 'expected https';
  if (url.username !== '' || url.password !== '')
    return 'expected no user name or password: what we send is signed';
  if (url.hash !== '') return 'expected no fragment: servers never see it';
  const port = url.port === '' ? null : Number(url.port);
  if (port !== null && port < PORT_UNPRIVILEGED_MIN && !portsAllowed.has(port))
    return `expected port 80, 443 or one from ${PORT_UNPRIVILEGED_MIN}`;
  return null;
}

/** What a log may show of it: a query often holds a token. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

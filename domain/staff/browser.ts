/**
 * A browser in which this account logged in wholly carries a cookie (OWASP "device cookies", ASVS 5 §6.1.1). Its wrong passwords
 * and codes are counted apart from everybody else's, so that strangers who know an email lock only each other out.
 */

/** Of one account: a few machines of one person. The one that was used longest ago is forgotten. */
export const BROWSERS_MAX = 10;
/** Renewed at each login: who was away for half a year logs in like a stranger. */
export const BROWSER_DAYS = 180;

import { isIP } from 'node:net';
import { callbackUrlFault, type UrlRules } from '../../domain/webhook/url.ts';
import { isPublic } from './resolve.ts';

/** What is wrong with a URL that a customer gives, or null. A name is not looked up here: where it leads is asked at each call. */
export const urlFault =
  (rules: UrlRules) =>
  (text: string): string | null => {
    const fault = callbackUrlFault(text, rules);
    if (fault !== null || rules.allowPrivate) return fault;
    const host = new URL(text).hostname.replace(/^\[(.*)\]$/, '$1');
    const family = isIP(host);
    const isOurs =
      host === 'localhost' ||
      host.endsWith('.localhost') ||
      ((family === 4 || family === 6) && !isPublic({ address: host, family }));
    return isOurs ? 'expected an address of the open internet' : null;
  };

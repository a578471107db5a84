import { isIP } from 'node:net';
import { callbackUrlFault, type UrlRules } from '../../domain/webhook/url.ts';
import { isPublic } from '../../domain/shared/ip-address.ts';

/**
 * Names that are never of the open internet: of one label (`metadata`, `redis`), and under what is kept for this machine and its
 * networks (RFC 6761, RFC 6762, RFC 8375, and `.internal`, where clouds keep their metadata).
 */
const localDomains = ['localhost', 'local', 'internal', 'home.arpa'];
const isLocalName = (host: string): boolean =>
  !host.includes('.') || localDomains.some((domain) => host.endsWith(`.${domain}`));

/** What is wrong with a URL that a customer gives, or null. A name is not looked up here: where it leads is asked at each call. */
export const urlFault =
  (rules: UrlRules) =>
  (text: string): string | null => {
    const fault = callbackUrlFault(text, rules);
    if (fault !== null || rules.allowPrivate) return fault;
    const host = new URL(text).hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
    const family = isIP(host);
    const isOurs = (family === 0 && isLocalName(host)) || ((family === 4 || family === 6) && !isPublic(host));
    return isOurs ? 'expected an address of the open internet' : null;
  };

import canonicalize from 'canonicalize';

/** Says what a signature is for, so that no signature of one sort serves as one of another. */
export type DomainLine = 'navbat-approval-v1' | 'navbat-device-v1' | 'navbat-sign-in-v1';

/**
 * What a device signs: the line of its domain, a line feed, and RFC 8785 canonical JSON of the statement, in UTF-8. Both sides build it from
 * values of their own.
 *
 * @throws for what has no canonical JSON: NaN, half of a surrogate pair, a circle.
 */
export const statementBytes = (domainLine: DomainLine, statement: object): string =>
  statementOf(domainLine, statementJson(statement));

/** The same of a statement that is canonical JSON already. */
export const statementOf = (domainLine: DomainLine, json: string): string => `${domainLine}\n${json}`;

/** RFC 8785. */
export function statementJson(statement: object): string {
  const text = canonicalize(statement);
  if (text === undefined) throw new Error('the statement has no JSON');
  return text;
}

import { LOGINS_PER_MINUTE } from '../../domain/staff/login-limits.ts';
import { STAFF_REQUESTS_PER_MINUTE } from '../../domain/project/quota.ts';
import { PENDING_SESSION_MINUTES, SESSION_HOURS } from '../../domain/staff/session.ts';
import { PROBLEM_TYPE_PREFIX } from './answer.ts';

/** What `/staff/openapi.json` says before its routes. */
export const STAFF_DESCRIPTION = `
For staff and their programs: the board's own process serves these routes. Customers use the API on its own address.

### Log in
1. \`POST /staff/sessions\` with email and password answers with a token of ${PENDING_SESSION_MINUTES} minutes that reaches the second factor alone.
2. \`POST /staff/sessions/second-factor\` with that token and a code answers with the token of the full session, for ${SESSION_HOURS} hours.
   A login without a second factor gets its secret first: \`POST /staff/sessions/second-factor/set-up\`.
3. Send the token as \`Authorization: Bearer nbs_…\`. It is shown once and never belongs in a URL.

The role is read at each request; a disabled login has no session any more. \`DELETE /staff/sessions/current\` logs out.

### Programs and browsers
A program sends its token. A page of the board sends its cookie, and whatever changes something must come from the board's own
origin (\`Sec-Fetch-Site\`, or \`Origin\`). A token is no cookie and a cookie is no token: neither opens anything in the other's place. With
both, \`Authorization\` alone counts. No other site may read an answer.

### Limits
${LOGINS_PER_MINUTE} passwords and as many codes a minute from one address, counted together with the login page; five wrong ones in a row lock the
login for a quarter of an hour. A session sends up to ${STAFF_REQUESTS_PER_MINUTE} requests a minute. A 429 says in \`Retry-After\` when to come back.

### Problems
Each error is \`application/problem+json\` (RFC 9457). \`type\` is \`${PROBLEM_TYPE_PREFIX}\` and a word that stays the same;
[/docs/problems](/docs/problems) lists them all. \`errors\` of a 400 names each bad field; a parameter that the route does not have is one, and so is an
\`If-Match\` where no version is compared. 401: no session, or not this sort; 403 \`role-forbids\`: your role may not, and what would have
changed something leaves an audit row.
`;

import type { SessionRule } from '../../../domain/staff/access/route-rules.ts';
import { may } from '../../../domain/staff/role-actions.ts';
import { staffRoles } from '../../../domain/staff/role.ts';
import type { SessionVia } from '../../../domain/staff/session.ts';
import type { AnyRule } from './walk.ts';

const HEAD = `# Who may what

Every route, grouped by who may call it. \`test/rules/policy.test.ts\` writes this page from the rules
(\`npm test -- test/rules/policy.test.ts -u\`), so a changed rule shows up as a changed page. A route without a
rule is refused; [ADR 0017](adr/0017-one-policy.md) says why.
`;

/** The rules in words, as \`docs/access.md\` shows them. */
export function accessPage(apps: Readonly<Record<string, Readonly<Record<string, AnyRule>>>>): string {
  const sections = Object.entries(apps).flatMap(([app, rules]) => [
    `## ${titles[app] ?? app}`,
    ...sectionsOf(rules),
  ]);
  return `${[HEAD.trim(), ...sections].join('\n\n')}\n`;
}

const titles: Readonly<Record<string, string>> = { api: 'The API', board: 'The board', bot: 'The bot' };

function sectionsOf(rules: Readonly<Record<string, AnyRule>>): string[] {
  const groups = Map.groupBy(Object.keys(rules), (route) => words(rules[route] as AnyRule));
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([who, routes]) =>
      [`**${who}**`, '', ...routes.toSorted().map((route) => `- \`${route}\``)].join('\n'),
    );
}

const sessions = {
  project: 'A person who signed in, to a project or to Navbat’s own app',
  app: 'A person in Navbat’s own app',
  device: 'A person on a bound device',
  earner: 'A person in the project in which they earn, with a live session',
} as const;
const extents = {
  full: 'Any member of staff, for themselves',
  'pending-2fa': 'A member of staff who has shown a password only',
  either: 'Any member of staff, on their way out',
} as const;
const proofs = {
  'provider-signature': 'A provider, by its signature',
  'provider-token': 'A provider, by the token in an address that only it was told',
  'telegram-secret': 'Telegram, by the secret token of the webhook',
  'own-network': 'A scraper of our own network, without a proxy between',
} as const;

const shown = ({ credentials, proof }: Pick<SessionRule, 'credentials' | 'proof'>) =>
  `by ${credentials.map((via) => credentialWords[via]).join(' or ')}${proof ? ', with a proof' : ''}`;
const credentialWords: Readonly<Record<SessionVia, string>> = { cookie: 'cookie', bearer: 'bearer token' };

function words(rule: AnyRule): string {
  switch (rule.by) {
    case 'key':
      if (rule.scope === 'public') return `A key, publishable ones too; ${testKeys[rule.testKeys]}`;
      return `A secret key of the scope ${rule.scope}; ${testKeys[rule.testKeys]}`;
    case 'person':
      return sessions[rule.session] + (rule.fresh ? ', proven within the last five minutes' : '');
    case 'staff':
      return `Staff (${rule.action}), ${shown(rule)}: ${staffRoles.filter((role) => may(role, rule.action)).join(', ')}`;
    case 'session':
      return `${extents[rule.extent]}, ${shown(rule)}`;
    case 'proof':
      return proofs[rule.of];
    case 'anyone':
      return `Anyone: ${rule.because.replace(/\.$/, '')}`;
    case 'nobody':
      return 'Nobody: Bull Board’s own commands';
  }
}

const testKeys = {
  apart: 'test keys reach what test keys made',
  refused: 'no test keys',
} as const;

/**
 * What may import what, in one table. `navbat/allowed-edges` (`edges-rule.ts`) reads it, and `test/rules/lint.test.ts` plants a violation of
 * each kind. Paths are those of the tree: layer / context / feature.
 */

/** Layers import downward. */
export const layers = {
  domain: ['domain'],
  infra: ['infra', 'domain'],
  apps: ['apps', 'domain'],
  workers: ['workers', 'domain'],
} as const satisfies Record<string, readonly string[]>;

/** These join the layers, and contexts, by hand. */
export const wiring: readonly RegExp[] = [
  /^(apps|workers)\/(.+\/)?(main|wire|modules)\.ts$/,
  // They start, or administer, all that there is.
  /^apps\/(local|cli)\//,
];

/** One app knows nothing of another; what apps share is here. */
export const sharedByApps = 'apps/http';

interface Context {
  /** Imported as a whole. */
  readonly uses: readonly string[];
  /** Imported by the `port.ts` files that they have in domain/, and no other way. */
  readonly ports: readonly string[];
}

const base = ['shared', 'job', 'project', 'common'];

/** A folder of one of these names, in whatever layer, belongs to the context. */
export const contexts: Readonly<Record<string, Context>> = {
  /** Words that several contexts use. */
  shared: { uses: [], ports: [] },
  /** The engine: it knows no kind by name. */
  job: { uses: ['shared', 'common'], ports: [] },
  project: { uses: ['shared', 'job', 'common'], ports: [] },
  /** What stands in no context's folder: `infra/process`, `infra/queue`, `apps/http` … */
  common: { uses: base, ports: [] },

  /** The bot and its chats; the addresses of apps on phones. */
  telegram: { uses: base, ports: [] },
  push: { uses: base, ports: [] },

  // The platform. It knows no product.
  identity: { uses: [...base, 'telegram', 'push'], ports: [] },
  webhook: { uses: base, ports: [] },
  staff: { uses: [...base, 'telegram'], ports: ['webhook'] },

  // Products. One knows of another the ports of those that it needs (`domain/products.ts`); what else it needs comes in as an argument.
  verify: { uses: [...base, 'telegram', 'push'], ports: ['identity'] },
  message: { uses: [...base, 'telegram', 'push'], ports: ['identity'] },
  // It stands on message: people are told of their money.
  pay: { uses: base, ports: ['identity', 'message', 'staff', 'telegram'] },
  // It stands on pay: what is earned is posted to the ledger, whose rules and refusals it knows.
  earn: { uses: [...base, 'pay'], ports: ['identity', 'message', 'staff', 'telegram'] },
};

/** Folders that are a context's, under another name. */
export const aliases: Readonly<Record<string, string>> = {
  // A product's own routes: the board knows them by `modules.ts` alone.
  'apps/board/pay': 'pay',
  'apps/board/earn': 'earn',
  'apps/board': 'staff',
  'apps/bot': 'identity',
};

/** Folders that are no context's: each is listed, so that a new one is nobody's until somebody says whose. Their subfolders are not meant. */
export const commonFolders: ReadonlySet<string> = new Set([
  'apps/api',
  'apps/cli',
  'apps/http',
  'apps/local',
  'apps/sandbox',
  'infra/deploy',
  'infra/embedded',
  'infra/limits',
  'infra/postgres',
  'infra/postgres/engine',
  'infra/process',
  'infra/providers',
  'infra/queue',
  'workers',
  'workers/engine',
]);

/** Lists of what contexts hand in: they import every context, and in domain/ nothing else of it than these files. */
export const registries: readonly RegExp[] = [/^(domain|infra\/postgres)\/[^/]+\.ts$/];
export const handedIn: ReadonlySet<string> = new Set(['job.ts', 'reasons.ts', 'events.ts', 'settings.ts']);

interface Exception {
  /** A folder or a file. */
  readonly from: string;
  /** A context, or `registries`, that it may import, against the table above. */
  readonly to: string;
  readonly because: string;
}

/** To be removed, each by what its reason names. Nothing is added here without a reason. */
export const exceptions: readonly Exception[] = [
  // The engine's hooks: `defineJob` and `settle.ts` carry what a kind has of its own.
  {
    from: 'infra/postgres/job/queries.ts',
    to: 'identity',
    because: 'the reader finds the jobs of a recipient',
  },
  { from: 'infra/postgres/job', to: 'staff', because: "the filter of jobs is the board's own" },
  { from: 'infra/postgres/job', to: 'project', because: 'the reader is told the mode of a key' },
  { from: 'infra/queue/staff-entries.ts', to: 'staff', because: "the queue's side of a command of staff" },

  // Hooks in SQL: a context alters its own tables alone.
  {
    from: 'infra/postgres/verify',
    to: 'identity',
    because: 'a TOTP is checked and a person found in the statement of the check',
  },
  { from: 'infra/postgres/project/rows.ts', to: 'webhook', because: 'ceilings wrap each intake' },

  // Wires: what is asked of another context comes in as an argument.
  { from: 'apps/api/project', to: 'identity', because: 'jobs are found by their recipient' },
  { from: 'apps/http', to: 'identity', because: "a route may ask for a person's session" },
  { from: 'apps/http', to: 'staff', because: 'who may what stands in the policy of staff' },
  { from: 'infra/postgres/message', to: 'identity', because: 'a push reads the token of a recipient' },
  {
    from: 'workers/message/notifier.ts',
    to: 'identity',
    because: 'it sends what identity tells people, by the words and limits of identity',
  },
  { from: 'infra/limits', to: 'identity', because: "it implements the pace of the bot's chats" },

  // The sandbox plays the providers of every product, and reads what they read.
  { from: 'apps/sandbox', to: 'telegram', because: "Telegram's own limits and markup" },
  { from: 'apps/sandbox', to: 'push', because: "Firebase's own limits" },
];

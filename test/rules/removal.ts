import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { needsOf, type Product } from '../../domain/products.ts';
import { copyTree, root } from '../support/tree-copy.ts';

/** Each product that can be taken out, with tests of what is then left: `test/chaos/removal.test.ts` runs them there. */
export const removals = [
  { product: 'message', left: ['test/apps/api/verify/otp.routes.system.test.ts', 'test/domain/verify'] },
  {
    product: 'verify',
    left: ['domain', 'infra/postgres', 'workers', 'journeys'].map((layer) => `test/${layer}/message`),
  },
  {
    product: 'pay',
    left: ['test/domain/products.test.ts', 'test/domain/message', 'test/infra/postgres/message'],
  },
  {
    product: 'earn',
    left: ['test/domain/products.test.ts', 'test/domain/pay', 'test/infra/postgres/pay/ledger-post.test.ts'],
  },
] as const;
export type Removable = (typeof removals)[number]['product'];

/** Lists with a line, or a few, for each product. Nothing else outside of its folders names what is in them. */
const registries = [
  'domain/jobs.ts',
  'domain/products.ts',
  'domain/reasons.ts',
  'domain/events.ts',
  'domain/settings.ts',
  'infra/postgres/grants.ts',
  'infra/postgres/schema.ts',
  'infra/postgres/settles.ts',
  'infra/postgres/retentions.ts',
  'infra/postgres/forgets.ts',
  'infra/postgres/encrypted.ts',
  'infra/postgres/ops-view.ts',
  'infra/postgres/verification-sql.ts',
  'apps/api/modules.ts',
  'apps/board/modules.ts',
  'apps/bot/modules.ts',
  'apps/cli/modules.ts',
  'apps/local/modules.ts',
  'workers/modules.ts',
  'test/bench/main.ts',
  'test/chaos/main.ts',
  'test/mutations/mutations.ts',
  'test/rules/policy/product-fixtures.ts',
  'test/support/api-routes.ts',
  'test/support/board-routes.ts',
] as const;

/** They see products side by side, or the platform by what a product does, and need them all. */
const sideBySide: ReadonlySet<string> = new Set([
  'test/apps/board/bull.test.ts',
  'test/apps/local/processes.test.ts',
  'test/infra/postgres/job/scheduler.test.ts',
  'test/infra/postgres/project/usage.test.ts',
  'test/infra/postgres/staff/secret/reencrypt.test.ts',
  // The bot registers people, which takes codes, and answers under messages.
  'test/journeys/message/bot-chats.test.ts',
  'test/journeys/message/preferences.test.ts',
  'test/workers/webhook/payloads.test.ts',
  'test/workers/wire.test.ts',
]);

/** The product, those that can't be without it, and those that can't be without them. */
const goneWith = (product: Removable): readonly Removable[] =>
  removals.map((one) => one.product).filter((one) => one === product || standsOn(one, product));
const standsOn = (one: Removable, product: Removable): boolean =>
  needsOfOne(one).some((need) => need === product || standsOn(need as Removable, product));
/** In a tree without some of them the types know fewer. */
const needsOfOne = (one: Removable): readonly string[] => needsOf(one as Product);

/**
 * Copies the tree without the product and those that need it: without their folders in each layer, and their lines in the registries.
 * The copy leaves with the test.
 *
 * @returns its directory.
 */
export function copyWithout(product: Removable): string {
  const gone = goneWith(product);
  const stays = (path: string) =>
    gone.every((one) => basename(path) !== one) && !sideBySide.has(relative(root, path));
  const to = copyTree('removal', stays);
  onTestFinished(() => rmSync(to, { recursive: true }));
  for (const path of registries) {
    const file = join(to, path);
    writeFileSync(
      file,
      gone.reduce((text, one) => linesWithout(one, text), readFileSync(file, 'utf8')),
    );
  }
  for (const path of dropTestsOf(to)) refuseOther(gone, path);
  return to;
}

/**
 * A test that imports what is gone, itself or through another, was one of the product, wherever it stands.
 *
 * @returns their paths in the copy.
 */
function dropTestsOf(copy: string): readonly string[] {
  const misses = (path: string) => importsOf(join(copy, path)).some((imported) => !existsSync(imported));
  const lost = globSync('test/**/*.ts', { cwd: copy }).filter(misses);
  for (const path of lost) rmSync(join(copy, path));
  return lost.length === 0 ? [] : [...lost, ...dropTestsOf(copy)];
}

const importsOf = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^(?:import\b[^;']*|\} from )'(\.[^']+)';/gm)].map(
    ([, specifier]) => resolve(dirname(file), specifier ?? ''),
  );

/** @throws where a test of another product goes too: what is left would not be tested. */
function refuseOther(gone: readonly Removable[], path: string): void {
  const other = removals.find((one) => !gone.includes(one.product) && path.split('/').includes(one.product));
  if (other) throw new Error(`${path} is a test of ${other.product} and needs ${gone.join(' or ')}`);
}

/** A registry without its imports from the product's folders, the lines that use them, and those that name the product. */
export function linesWithout(product: Removable, text: string): string {
  const imports = new RegExp(`^import [^;]*? from '[^']*/${product}/[^']*';\n`, 'gm');
  const names = [...text.matchAll(imports)].flatMap(([statement]) => namesOf(statement));
  const uses = [`^\\s*${product}:`, `'${product}'`, ...names.map((name) => `\\b${name}\\b`)];
  const line = new RegExp(uses.join('|'));
  const kept = text.replace(imports, '').split('\n');
  return kept.filter((one) => !line.test(one)).join('\n');
}

const keywords: ReadonlySet<string> = new Set(['import', 'type', 'as']);
const namesOf = (statement: string): readonly string[] =>
  (statement.split(' from ', 1)[0]?.match(/\w+/g) ?? []).filter((word) => !keywords.has(word));

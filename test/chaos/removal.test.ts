import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyWithout, removals } from '../rules/removal.ts';
import { runIn } from '../support/tree-copy.ts';

/** Of `test/rules/statements.test.ts`: the SQL that is left asks for nothing that the product's migrations made. */
const STATEMENTS = 'every statement is one that the migrated schema takes';

/** Not in `npm test`: each compiles a whole tree, or starts servers of its own, and that for every product. */
const compiled = (directory: string) => runIn(directory, 'tsc', ['--noEmit', '--pretty', 'false']);

test.each(removals)('the tree without $product fits together', async ({ product }) => {
  expect(await compiled(copyWithout(product))).toEqual({ exitCode: 0, out: '' });
});

test.each(removals)('without $product the rest starts, and its tests pass', async ({ product, left }) => {
  const copy = copyWithout(product);
  // Vitest passes over a path that there is not.
  expect(left.filter((path) => !existsSync(join(copy, path)))).toEqual([]);
  const run = (args: readonly string[]) => runIn(copy, 'vitest', ['run', '--maxWorkers=1', ...args]);
  for (const args of [left, ['test/rules/statements.test.ts', '-t', STATEMENTS]]) {
    const { exitCode, out } = await run(args);
    expect(exitCode, out).toBe(0);
    expect(out).toMatch(/Tests .*\d+ passed/);
  }
});

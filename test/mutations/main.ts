import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { copyTree } from '../support/tree-copy.ts';
import { type Mutation, mutate } from './mutation.ts';
import { mutations } from './mutations.ts';
import { outcomes } from './outcome.ts';
import { isOfServer, sharedServers } from './shared-servers.ts';

/**
 * `npm run mutations [-- [--report file] ledger|dispatch|…|words of a name …]`: makes one mistake after the other in a copy of the tree, and expects the
 * test that is there for it to fail. Unchanged, each of these tests has to pass.
 */
const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { report: { type: 'string' } },
});
const chosen = Object.entries(mutations).flatMap(([group, all]) =>
  all.filter(({ name }) => asked.length === 0 || asked.some((one) => one === group || name.includes(one))),
);
if (chosen.length === 0)
  throw new Error(`expected ${Object.keys(mutations).join(', ')}, or words of the name of a mutation`);
const survived = await survivors(chosen);
if (values.report !== undefined) writeReport(values.report, survived);
process.exitCode = survived === 0 ? 0 : 1;

/** Counted by `.ci/run` as vitest's own are. */
function writeReport(path: string, numFailedTests: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ numPassedTests: chosen.length - numFailedTests, numFailedTests }));
}

async function survivors(all: readonly Mutation[]): Promise<number> {
  const copy = copyTree('mutations');
  const end = () => rmSync(copy, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      end();
      process.exit(1);
    });
  try {
    const whole = await outcomes(copy, all);
    const unfit = all.filter((_, i) => whole[i]?.end !== 'green');
    for (const [i, { test }] of all.entries())
      if (whole[i]?.end !== 'green')
        console.log(`NOT GREEN   unchanged: ${test.file}, "${test.name}": ${whole[i]?.why}`);
    let red = 0;
    const servers = await sharedServers();
    try {
      for (const mutation of all.filter((one) => !unfit.includes(one)))
        if (await isRed(copy, mutation, servers)) red += 1;
    } finally {
      await servers.stop();
    }
    console.log(`${red} of ${all.length} mutations turn their test red`);
    return all.length - red;
  } finally {
    end();
  }
}

async function isRed(
  copy: string,
  mutation: Mutation,
  servers: Awaited<ReturnType<typeof sharedServers>>,
): Promise<boolean> {
  const { name, test } = mutation;
  const given = isOfServer(readFileSync(join(copy, test.file), 'utf8'))
    ? undefined
    : await servers.ready(mutation);
  const undo = mutate(copy, mutation);
  const startedMs = performance.now();
  const [outcome] = await outcomes(copy, [mutation], given);
  undo();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const word = { red: 'red', green: 'STILL GREEN', missing: 'NOT RUN' }[outcome?.end ?? 'missing'];
  console.log(
    `${word.padEnd(11)} ${name} (${seconds} s)\n            ${test.file}, "${test.name}": ${outcome?.why}`,
  );
  return outcome?.end === 'red';
}

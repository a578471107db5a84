import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runIn } from '../support/tree-copy.ts';
import type { Mutation } from './mutation.ts';

/** Of one test: what hangs is red too, and soon. */
const TEST_MS_MAX = 60_000;
/** Of a run: a worker that a mutation left with open ends may never end. */
const RUN_MS_MAX = 300_000;
/** Of the one in which nothing is changed and all of these tests run: a minute on two calm cores; CI's machine may be much slower. */
const RUN_OF_ALL_MS_MAX = 900_000;
const REPORT = 'mutation-report.json';

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** `missing`: no such test ran, since there is none or since its file could not be loaded: that is no red test. */
export interface Outcome {
  readonly end: 'red' | 'green' | 'missing';
  readonly why: string;
}

/**
 * Runs the tests by which the mutations are found, and tells of each.
 *
 * @param servers JSON of those that are there; without them the run starts its own.
 */
export async function outcomes(
  copy: string,
  of: readonly Mutation[],
  servers?: string,
): Promise<readonly Outcome[]> {
  const files = [...new Set(of.map(({ test }) => test.file))];
  const names = [...new Set(of.map(({ test }) => escaped(test.name)))].join('|');
  rmSync(join(copy, REPORT), { force: true });
  const limits = [`--testTimeout=${TEST_MS_MAX}`, `--hookTimeout=${TEST_MS_MAX}`];
  const told = ['--reporter=json', `--outputFile.json=${REPORT}`];
  const args = ['run', '--maxWorkers=1', ...limits, ...told, '--testNamePattern', names, ...files];
  const { out } = await runIn(copy, 'vitest', args, {
    timeoutMs: of.length === 1 ? RUN_MS_MAX : RUN_OF_ALL_MS_MAX,
    env: servers === undefined ? {} : { NAVBAT_TEST_SERVERS: servers },
  });
  const report = reported(copy);
  return of.map(({ test }) => outcomeOf(report, test) ?? { end: 'missing', why: out.slice(-2_000) });
}

function outcomeOf(
  report: z.infer<typeof Report> | undefined,
  { file, name }: Mutation['test'],
): Outcome | undefined {
  const ran = report?.testResults
    .filter((result) => result.name.endsWith(`/${file}`))
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName, status }) => fullName.includes(name) && ['passed', 'failed'].includes(status));
  if (!ran || ran.length === 0) return undefined;
  const failed = ran.find(({ status }) => status === 'failed');
  return failed
    ? { end: 'red', why: failed.failureMessages?.[0]?.split('\n', 1)[0] ?? '' }
    : { end: 'green', why: '' };
}

function reported(copy: string): z.infer<typeof Report> | undefined {
  try {
    return Report.parse(JSON.parse(readFileSync(join(copy, REPORT), 'utf8')));
  } catch {
    return undefined;
  }
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivate } from './private-file.ts';

/** What a newcomer needs to call the API and to look at the board. */
const Demo = z.object({
  apiKey: z.string(),
  boardEmail: z.string(),
  boardPassword: z.string(),
  /** Set once somebody was told: before that, every start is the first. */
  told: z.boolean(),
});
export type Demo = z.infer<typeof Demo>;

const FILE = 'demo.json';
const SECRET_BYTES = 24;
const DEMO_PROJECT = 'demo';

/**
 * The demo's credentials: made up and kept before anything is created with them, so that a start that was killed half-way
 * continues with the same. A given key wins and is kept.
 */
export async function keepDemo(home: string, givenKey: string | undefined): Promise<Demo> {
  const kept = await readDemo(home);
  const fresh = (): string => randomBytes(SECRET_BYTES).toString('base64url');
  const demo: Demo = {
    apiKey: givenKey || kept?.apiKey || `nbt_live_${fresh()}`,
    boardEmail: kept?.boardEmail ?? 'admin@navbat.example',
    boardPassword: kept?.boardPassword ?? fresh(),
    told: kept?.told ?? false,
  };
  await writePrivate(join(home, FILE), `${JSON.stringify(demo, null, 2)}\n`);
  return demo;
}

export function markTold(home: string, demo: Demo): Promise<void> {
  return writePrivate(join(home, FILE), `${JSON.stringify({ ...demo, told: true }, null, 2)}\n`);
}

export const demoText = ({ apiKey, boardEmail, boardPassword }: Demo): string =>
  [`demo API key    ${apiKey}`, `board login     ${boardEmail}`, `board password  ${boardPassword}`, ''].join(
    '\n',
  );

async function readDemo(home: string): Promise<Demo | undefined> {
  const text = await readFile(join(home, FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Demo.parse(JSON.parse(text));
}

type Cli = (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<{ readonly ok: boolean; readonly output: string }>;

/** Creates on every start what is not there yet; what is there stays. */
export async function ensureDemo(demo: Demo, cli: Cli): Promise<void> {
  const project = await cli(['project', 'create', DEMO_PROJECT, '--key', demo.apiKey], {});
  if (!project.ok) throw new Error(`The demo project could not be made: ${project.output}`);
}

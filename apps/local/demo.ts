import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Cli, CliAnswer } from './cli.ts';
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
export const DEMO_PROJECT = 'demo';

/** How the command line says that a project has all the keys that it may have. */
const NO_ROOM = /has \d+ active keys/;
const Keys = z.array(
  z.object({
    id: z.string(),
    access: z.string(),
    mode: z.string(),
    created_at: z.string(),
    revoked_at: z.string().nullable(),
  }),
);
const Staff = z.array(z.object({ email: z.string() }));

/**
 * The demo's credentials: made up and kept before anything is created with them, so that a start that was killed half-way
 * continues with the same. A given key wins and is kept.
 */
export async function keepDemo(
  home: string,
  givenKey: string | undefined,
  isOwnDatabase: boolean,
): Promise<Demo> {
  const kept = await readDemo(home);
  const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
  const fresh = (): string => randomBytes(SECRET_BYTES).toString('base64url');
  const demo: Demo = {
    apiKey: givenKey || kept?.apiKey || `nbt_live_${fresh()}`,
    // In a database that others use too, that name may be taken, with a password that we don't know.
    boardEmail:
      kept?.boardEmail ?? (isOwnDatabase ? 'admin@navbat.example' : `admin-${hex(3)}@navbat.example`),
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
  [
    `demo API key    ${apiKey}`,
    `board login     ${boardEmail}`,
    `board password  ${boardPassword}`,
    'second factor   set up at the first login, with any authenticator app on a phone',
    '',
  ].join('\n');

async function readDemo(home: string): Promise<Demo | undefined> {
  const text = await readFile(join(home, FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Demo.parse(JSON.parse(text));
}

/** Creates on every start what is not there yet; what is there stays. Throws with the sentence that says why it could not. */
export async function ensureDemo(
  demo: Demo,
  cli: Cli,
  seeds: readonly (readonly string[])[] = [],
): Promise<void> {
  const [project] = await Promise.all([ensureProject(demo.apiKey, cli), ensureLogin(demo, cli)]);
  if (!project.ok) throw new Error(`The demo project could not be made: ${project.sentence}`);
  const set = await letBotSignIn(demo, cli);
  if (set?.ok === false) throw new Error(`The demo project could not be set up: ${set.sentence}`);
  for (const command of seeds) {
    const seeded = await cli(command);
    if (!seeded.ok) throw new Error(`${command.join(' ')}: ${seeded.sentence}`);
  }
}

/** The bot of a newcomer's installation is the demo's. Once somebody was told, the setting is theirs. */
async function letBotSignIn({ told }: Demo, cli: Cli): Promise<CliAnswer | null> {
  return told ? null : cli(['project', 'set', DEMO_PROJECT, 'telegram_sign_in=true']);
}

/** A key is given that is neither of the project's two: the older one makes room, since nobody can revoke it while nothing runs. */
async function ensureProject(key: string, cli: Cli): Promise<CliAnswer> {
  const create = () => cli(['project', 'create', DEMO_PROJECT, '--key', key]);
  const created = await create();
  if (created.ok || !NO_ROOM.test(created.sentence)) return created;
  const listed = await cli(['key', 'list', DEMO_PROJECT]);
  if (!listed.ok) return listed;
  const [oldest] = Keys.parse(listed.json)
    .filter((each) => each.access === 'secret' && each.mode === 'live' && each.revoked_at === null)
    .toSorted((one, other) => one.created_at.localeCompare(other.created_at));
  if (oldest) await cli(['key', 'revoke', DEMO_PROJECT, oldest.id]);
  return create();
}

async function ensureLogin({ boardEmail, boardPassword, told }: Demo, cli: Cli): Promise<void> {
  // Once somebody was told, the login is theirs: it may have been disabled on purpose.
  if (told) return;
  const listed = await cli(['staff', 'list']);
  if (listed.ok && Staff.parse(listed.json).some(({ email }) => email === boardEmail)) return;
  const args = ['staff', 'create', boardEmail, '--role', 'admin', '--password-stdin'];
  const made = await cli(args, boardPassword);
  if (!made.ok) throw new Error(`The board's login could not be made: ${made.sentence}`);
}

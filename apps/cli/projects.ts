import type { Command } from 'commander';
import { z } from 'zod';
import { type AboveCeiling, CeilingsChange } from '../../domain/project/ceilings.ts';
import type { SettingsChanged } from '../../domain/project/port.ts';
import { ApiKeyText, keyFront, KeyScope } from '../../domain/project/key.ts';
import {
  isActive,
  type KeyOrder,
  type KeyView,
  type ProjectView,
  Slug,
} from '../../domain/project/project.ts';
import { SettingsChange } from '../../domain/settings.ts';
import {
  type Changing,
  type CliContext,
  CliError,
  day,
  type JsonOption,
  projectOf,
  table,
  tell,
  writeAudit,
} from './context.ts';
import { madeKey } from './keys.ts';
import { fieldErrors, plainWords } from '../../domain/shared/schema-words.ts';
import { byName } from '../http/places.ts';

export function projectCommands(program: Command, context: CliContext): void {
  const project = program.command('project').description('projects and their settings');
  project
    .command('create <slug>')
    .description('makes a project and its first key, which is shown this once')
    .option('--key <key>', 'nbt_live_… of your own; again with the same key changes nothing and succeeds')
    .option('--json')
    .action((slug: string, options: JsonOption & { key?: string }) => createProject(context, slug, options));
  project
    .command('list')
    .description('all projects')
    .option('--json')
    .action((options: JsonOption) => listProjects(context, options));
  project
    .command('set <slug> <setting=json...>')
    .description('changes settings, such as sends_per_hour=10; null gives one its default back')
    .option(
      '--look-alike',
      "give a display_name that reads as Navbat's own or as another project's, or mixes alphabets",
    )
    .option('--json')
    .action((slug: string, pairs: string[], options: SetOptions) =>
      setSettings(context, slug, pairs, options),
    );
  project
    .command('ceilings <slug> [ceiling=json...]')
    .description(
      'what the project stays within whatever its own keys set: shows it, or changes it, such as rows_kept=5000000; null gives one its default back',
    )
    .option('--json')
    .action((slug: string, pairs: string[], options: JsonOption) => ceilings(context, slug, pairs, options));
  project
    .command('archive <slug>')
    .description('refuses all its keys from now on; its jobs and history stay')
    .option('--json')
    .action((slug: string, options: JsonOption) => archiveProject(context, slug, options));
}

interface SetOptions extends JsonOption {
  readonly lookAlike?: boolean;
}

/** An operator's own key may do everything that its project may, but for what must be asked for by name. */
const everyScope = KeyScope.options.filter(
  (scope) => !['public', 'critical', 'payouts', 'gateways'].includes(scope),
);

async function createProject(
  context: CliContext,
  slug: string,
  options: JsonOption & { key?: string },
): Promise<void> {
  const text = options.key;
  if (text !== undefined && !ApiKeyText.safeParse(text).success)
    throw new CliError(
      '--key: expected nbt_live_… or nbt_test_… with 16 to 128 of A-Z a-z 0-9 _ - behind it.',
    );
  if (!Slug.safeParse(slug).success) throw new CliError('slug: expected 1 to 40 of a-z 0-9 and -.');

  await context.withPorts(async (ports) => {
    const { created, project, key } = await ports.change(async (changing) => {
      const made = await changing.projects.create(slug, context.now());
      if (!made.created && text === undefined) throw new CliError(`There is a project ${slug} already.`);
      if (made.created) await writeAudit(context, changing, 'project.create', slug);
      return { ...made, key: await ensureKey(context, changing, made.project, text) };
    });
    const lines = [`project  ${project.slug}  ${project.id}`, `key      ${key}`];
    tell(context, options, { lines, json: { ...projectJson(project), created, key } });
  });
}

/** The project's key of this text, made where it is not there yet. */
async function ensureKey(
  context: CliContext,
  changing: Changing,
  project: ProjectView,
  text: string | undefined,
): Promise<string> {
  const owner = text === undefined ? null : await changing.projects.ownerOf(text);
  if (text !== undefined && owner) return checkOwner(owner, project, text, context.now());

  const front = text === undefined ? ({ access: 'secret', mode: 'live' } as const) : keyFront(text);
  const order: KeyOrder = { ...front, scopes: everyScope, expiresAt: null };
  const made = madeKey(await changing.projects.createKey(project.id, order, context.now(), text));
  await writeAudit(context, changing, 'key.create', project.slug, { key: made.key.id });
  return made.text;
}

function checkOwner(
  owner: { projectId: string; key: KeyView },
  project: ProjectView,
  text: string,
  now: Date,
): string {
  if (owner.projectId !== project.id) throw new CliError('--key: this key is another project’s.');
  if (!isActive(owner.key, now)) throw new CliError('--key: this key was revoked or has expired.');
  return text;
}

function listProjects(context: CliContext, options: JsonOption): Promise<void> {
  return context.withPorts(async ({ projects }) => {
    const all = await projects.list();
    const rows = all.map(({ slug, id, createdAt, archivedAt }) => [
      slug,
      id,
      day(createdAt),
      archivedAt ? 'archived' : 'active',
    ]);
    tell(context, options, {
      lines: table([['slug', 'id', 'created', 'state'], ...rows]),
      json: all.map(projectJson),
    });
  });
}

async function setSettings(
  context: CliContext,
  slug: string,
  pairs: readonly string[],
  { lookAlike = false, ...options }: SetOptions,
): Promise<void> {
  const change = parseChange(SettingsChange, pairs);
  await context.withPorts(async (ports) => {
    const { id } = await projectOf(ports, slug);
    const project = await ports.change(async (changing) => {
      const changed = await changing.projects.changeSettings(id, change, { lookAlike });
      if (!changed.changed) throw new CliError(notSet(slug, changed));
      await writeAudit(context, changing, 'project.set', slug, {
        settings: change,
        ...(lookAlike ? { look_alike: true } : {}),
      });
      return changed.project;
    });
    const rows = Object.entries(project.settings).map(([name, value]) => [name, JSON.stringify(value)]);
    tell(context, options, { lines: table(rows), json: projectJson(project) });
  });
}

function notSet(slug: string, refused: Extract<SettingsChanged, { changed: false }>): string {
  switch (refused.reason) {
    case 'no-project':
      return `There is no project ${slug}.`;
    case 'name-reserved':
      return "display_name: people would take it for Navbat's own or another project's, or a word of it mixes alphabets. If it is meant so, add --look-alike.";
    case 'above-ceiling':
      return raiseFirst(slug, refused.above);
  }
}

const raiseFirst = (slug: string, above: readonly AboveCeiling[]) =>
  above
    .map(
      ({ setting, ceiling }) =>
        `${setting}: the ceiling of ${slug} is ${JSON.stringify(ceiling)}. Raise it first: project ceilings ${slug} ${setting}=…`,
    )
    .join('\n');

async function ceilings(
  context: CliContext,
  slug: string,
  pairs: readonly string[],
  options: JsonOption,
): Promise<void> {
  const change = parseChange(CeilingsChange, pairs);
  await context.withPorts(async (ports) => {
    const before = await projectOf(ports, slug);
    const { project, lowered } = await ports.change(async (changing) => {
      const changed = await changing.projects.changeCeilings(before.id, change);
      if (!changed) throw new CliError(`There is no project ${slug}.`);
      const { ceilings: after } = changed.project;
      const names = Object.keys(change) as (keyof typeof after)[];
      if (names.length > 0)
        await writeAudit(context, changing, 'project.ceilings', slug, {
          from: Object.fromEntries(names.map((name) => [name, before.ceilings[name]])),
          to: Object.fromEntries(names.map((name) => [name, after[name]])),
          lowered: changed.lowered,
        });
      return changed;
    });
    const used = await ports.projects.rows(project.id);
    const rows = Object.entries(project.ceilings).map(([name, value]) => [name, JSON.stringify(value)]);
    const lines = [
      ...table(rows),
      ...lowered.map((setting) => `the setting ${setting} came down with its ceiling`),
      `used now: ${used.queued} rows queued, ${used.kept} kept, ${used.test} of test keys, ${used.people} people`,
    ];
    tell(context, options, { lines, json: { ...projectJson(project), lowered, rows: used } });
  });
}

function parseChange(
  schema: z.ZodType<Record<string, unknown>>,
  pairs: readonly string[],
): Record<string, unknown> {
  const change = schema.safeParse(Object.fromEntries(pairs.map(settingOf)), { error: plainWords });
  if (change.success) return change.data;
  const errors = fieldErrors(change.error.issues, byName);
  const known = schema instanceof z.ZodObject ? `Known names: ${Object.keys(schema.shape).join(', ')}.` : '';
  throw new CliError(
    [...errors.map(({ pointer, detail }) => `${pointer}: ${detail}`), known].join('\n').trim(),
  );
}

/** `sends_per_hour=10`; what is not JSON is taken as text, so that `locale=ru` needs no quotes. */
function settingOf(pair: string): [string, unknown] {
  const at = pair.indexOf('=');
  if (at < 1) throw new CliError(`${pair}: expected setting=value.`);
  const text = pair.slice(at + 1);
  try {
    return [pair.slice(0, at), JSON.parse(text)];
  } catch {
    return [pair.slice(0, at), text];
  }
}

function archiveProject(context: CliContext, slug: string, options: JsonOption): Promise<void> {
  return context.withPorts(async (ports) => {
    const { id } = await projectOf(ports, slug);
    const project = await ports.change(async (changing) => {
      const archived = await changing.projects.archive(id, context.now());
      if (!archived) throw new CliError(`There is no project ${slug}.`);
      await writeAudit(context, changing, 'project.archive', slug);
      return archived;
    });
    tell(context, options, { lines: [`${slug} is archived`], json: projectJson(project) });
  });
}

function projectJson({ id, slug, settings, ceilings, createdAt, archivedAt }: ProjectView) {
  return { id, slug, settings, ceilings, created_at: createdAt, archived_at: archivedAt };
}

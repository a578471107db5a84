import { type Command, Option } from 'commander';
import { z } from 'zod';
import {
  ACTIVE_KEYS_MAX,
  AllowedOrigins,
  type KeyAccess,
  keyAccesses,
  type KeyMode,
  keyModes,
  KeyName,
  KEYS_MADE_MAX,
  KeyScope,
} from '../../domain/project/key.ts';
import type { KeyCreated } from '../../domain/project/port.ts';
import {
  keyJson,
  isActive,
  type KeyOrder,
  type ProjectView,
  SCOPES_DEFAULT,
} from '../../domain/project/project.ts';
import {
  type Changing,
  type CliContext,
  CliError,
  type CliPorts,
  day,
  type JsonOption,
  projectOf,
  table,
  tell,
  writeAudit,
} from './context.ts';

interface NewKeyOptions extends JsonOption {
  readonly access: KeyAccess;
  readonly mode: KeyMode;
  readonly scopes: string;
  readonly name?: string;
  readonly expires?: string;
  readonly origins?: string;
  readonly by?: string;
}

function createCommand(key: Command, context: CliContext): void {
  key
    .command('create <slug>')
    .description(
      `makes a key and shows it this once; ${ACTIVE_KEYS_MAX} of one access and mode are active at a time`,
    )
    .addOption(new Option('--access <access>').choices([...keyAccesses]).default('secret'))
    .addOption(new Option('--mode <mode>').choices([...keyModes]).default('live'))
    .option(
      '--scopes <scopes>',
      `comma separated, of ${KeyScope.options.join(', ')}`,
      SCOPES_DEFAULT.join(','),
    )
    .option('--name <name>', 'what tells it apart in lists')
    .option('--expires <time>', 'such as 2027-01-31T00:00:00Z')
    .option(
      '--origins <origins>',
      'comma separated, of pages that may use a publishable key, such as https://shop.example',
    )
    .option(
      '--by <email>',
      'the member of staff who stands behind it: with the scope payouts they approve no batch that pays what it asks for',
    )
    .option('--json')
    .action((slug: string, options: NewKeyOptions) => createKey(context, slug, options));
}

export function keyCommands(program: Command, context: CliContext): void {
  const key = program.command('key').description('API keys of a project');
  createCommand(key, context);
  key
    .command('list <slug>')
    .description('its keys, without their texts')
    .option('--json')
    .action((slug: string, options: JsonOption) => listKeys(context, slug, options));
  key
    .command('origins <slug> <key-id> <origins>')
    .description('the origins whose pages may use a publishable key, comma separated; none for no page')
    .option('--json')
    .action((slug: string, keyId: string, origins: string, options: JsonOption) =>
      changeOrigins(context, { slug, keyId, origins }, options),
    );
  key
    .command('revoke <slug> <key-id>')
    .description('revokes a key; it is refused everywhere within five seconds')
    .option('--json')
    .action((slug: string, keyId: string, options: JsonOption) => revokeKey(context, slug, keyId, options));
}

const keyRefusals: Readonly<Record<Extract<KeyCreated, { created: false }>['reason'], string>> = {
  'too-many-active': `The project has ${ACTIVE_KEYS_MAX} active keys of this access and mode: revoke one first (key list, key revoke).`,
  'too-many-made': `The project has made ${KEYS_MADE_MAX} keys, revoked ones among them: make another project.`,
  'already-expired': '--expires: expected a time in the future.',
  'key-taken': '--key: there is such a key already.',
  'no-project': 'The project is gone.',
  'beyond-maker': 'The key that asks can do less than this one.',
};

/** @throws CliError */
export function madeKey(made: KeyCreated): Extract<KeyCreated, { created: true }> {
  if (!made.created) throw new CliError(keyRefusals[made.reason]);
  return made;
}

async function createKey(context: CliContext, slug: string, options: NewKeyOptions): Promise<void> {
  const scopes = z.array(KeyScope).safeParse(options.scopes.split(',').map((scope) => scope.trim()));
  if (!scopes.success) throw new CliError(`--scopes: expected some of ${KeyScope.options.join(', ')}.`);
  const name = KeyName.optional().safeParse(options.name);
  if (!name.success) throw new CliError('--name: expected one line of at most 60 visible characters.');
  const expires = z.iso.datetime({ offset: true }).optional().safeParse(options.expires);
  if (!expires.success) throw new CliError('--expires: expected a time such as 2027-01-31T00:00:00Z.');
  const expiresAt = expires.data === undefined ? null : new Date(expires.data);

  const allowedOrigins = originsOf(options.origins ?? 'none');
  if (options.access === 'secret' && allowedOrigins.length > 0) throw new CliError(SECRET_IN_PAGES);

  if (scopes.data.includes('payouts') && options.by === undefined) throw new CliError(NOBODY_BEHIND);

  await context.withPorts(async (ports) => {
    const project = await projectOf(ports, slug);
    const { access, mode, by } = options;
    const createdBy = by === undefined ? null : await staffIdOf(ports, by);
    const order = {
      name: name.data ?? null,
      access,
      mode,
      scopes: scopes.data,
      expiresAt,
      allowedOrigins,
      createdBy,
    };
    const { key, text } = await ports.change((changing) => makeKey(context, changing, project, order, by));
    tell(context, options, {
      lines: [`key  ${text}`, `id   ${key.id}`],
      json: { ...keyJson(key), key: text },
    });
  });
}

const NOBODY_BEHIND =
  '--by: expected the email of the member of staff who stands behind a key with the scope payouts. They approve no batch that pays what it asks for.';

/** @throws CliError */
async function staffIdOf({ staff }: CliPorts, email: string): Promise<string> {
  const member = (await staff.list()).find((one) => one.email === email.toLowerCase());
  if (!member || member.disabledAt)
    throw new CliError(`--by: there is no login ${email}, or it is disabled.`);
  return member.id;
}

async function makeKey(
  context: CliContext,
  changing: Changing,
  { id, slug }: ProjectView,
  order: KeyOrder,
  by: string | undefined,
) {
  const made = madeKey(await changing.projects.createKey(id, order, context.now()));
  const behind = by === undefined ? {} : { by: by.toLowerCase() };
  await writeAudit(context, changing, 'key.create', slug, { key: made.key.id, ...behind });
  return made;
}

const SECRET_IN_PAGES = '--origins: no page may hold a secret key; make one with --access publishable.';

/** @throws CliError */
function originsOf(text: string): string[] {
  const given = text === 'none' ? [] : text.split(',').map((origin) => origin.trim());
  const origins = AllowedOrigins.safeParse(given);
  if (origins.success) return origins.data;
  throw new CliError(
    '--origins: expected origins such as https://shop.example,http://localhost:5173, or none.',
  );
}

interface OriginsGiven {
  readonly slug: string;
  readonly keyId: string;
  readonly origins: string;
}

async function changeOrigins(
  context: CliContext,
  { slug, keyId, origins }: OriginsGiven,
  options: JsonOption,
): Promise<void> {
  const id = z.uuid().safeParse(keyId);
  if (!id.success) throw new CliError('key-id: expected the id that key list shows.');
  const allowedOrigins = originsOf(origins);
  await context.withPorts(async (ports) => {
    const project = await projectOf(ports, slug);
    const key = await ports.change(async (changing) => {
      const change = { allowedOrigins };
      const changed = await changing.projects.changeKey(null, project.id, id.data, change, context.now());
      if (!changed.changed)
        throw new CliError(changed.reason === 'secret-key' ? SECRET_IN_PAGES : `${slug} has no such key.`);
      await writeAudit(context, changing, 'key.change', slug, {
        key: id.data,
        allowed_origins: allowedOrigins,
      });
      return changed.key;
    });
    tell(context, options, {
      lines: [`${keyId} may be used by pages of: ${allowedOrigins.join(', ') || 'none'}`],
      json: keyJson(key),
    });
  });
}

function listKeys(context: CliContext, slug: string, options: JsonOption): Promise<void> {
  return context.withPorts(async (ports) => {
    const keys = await ports.projects.keys((await projectOf(ports, slug)).id);
    const rows = keys.map((key) => [
      key.id,
      key.name ?? '-',
      key.access,
      key.mode,
      `…${key.hint}`,
      key.scopes.join(','),
      key.allowedOrigins.join(',') || '-',
      isActive(key, context.now()) ? 'active' : key.revokedAt ? 'revoked' : 'expired',
      day(key.lastUsedAt),
    ]);
    const head = ['id', 'name', 'access', 'mode', 'hint', 'scopes', 'origins', 'state', 'last used'];
    tell(context, options, { lines: table([head, ...rows]), json: keys.map(keyJson) });
  });
}

async function revokeKey(
  context: CliContext,
  slug: string,
  keyId: string,
  options: JsonOption,
): Promise<void> {
  const id = z.uuid().safeParse(keyId);
  if (!id.success) throw new CliError('key-id: expected the id that key list shows.');
  await context.withPorts(async (ports) => {
    const project = await projectOf(ports, slug);
    await ports.change(async (changing) => {
      const revoked = await changing.projects.revokeKey(project.id, id.data, context.now());
      if (!revoked) throw new CliError(`${slug} has no such key.`);
      await writeAudit(context, changing, 'key.revoke', slug, { key: id.data });
    });
    tell(context, options, { lines: [`${keyId} is revoked`], json: { id: keyId, revoked: true } });
  });
}

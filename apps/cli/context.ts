import type { Pool } from 'pg';
import type { AuditConfig, ProcessConfig } from '../../infra/process/variables.ts';
import type { Rotations } from '../../domain/identity/device/port.ts';
import type { Reencrypting } from '../../domain/staff/secret/reencrypt.ts';
import type { AuditLog, CommandLineAction } from '../../domain/staff/audit.ts';
import type { StaffAccounts } from '../../domain/staff/port.ts';
import type { StaffChats } from '../../domain/telegram/chat.ts';
import type { Projects } from '../../domain/project/port.ts';
import type { ProjectView } from '../../domain/project/project.ts';

/** What a command changes. It is one commit with the rows of the audit: a process that is killed leaves both, or neither. */
export interface Changing {
  readonly projects: Projects;
  readonly staff: StaffAccounts;
  readonly audit: Pick<AuditLog, 'write'>;
}

/** The same of a chat, whose tables have a client of their own. */
export interface ChangingChat extends Pick<StaffChats, 'open'>, Pick<Changing, 'audit'> {}

/** What changes something, and has a row of the audit, is to be had by `change` and `changeChat` alone. */
export interface CliPorts {
  readonly projects: Pick<Projects, 'list' | 'findBySlug' | 'rows' | 'keys' | 'ownerOf'>;
  readonly staff: Pick<StaffAccounts, 'list'>;
  /** A refusal (`CliError`) that is thrown in it takes everything back. */
  readonly change: <Out>(work: (changing: Changing) => Promise<Out>) => Promise<Out>;
  readonly changeChat: <Out>(work: (changing: ChangingChat) => Promise<Out>) => Promise<Out>;
  readonly reencrypting: Reencrypting;
  readonly rotations: Rotations;
  /** For what a product reads by itself. */
  readonly pool: Pool;
  /** Whose public halves check signatures, as far as they are set. */
  readonly keys: SignatureKeys;
  /** What the installation is set to, for a product's commands. */
  readonly config: ProcessConfig<'cli'>;
  /** Null where it is no sandbox's. */
  readonly clock: { readonly aheadMs: number; readonly move: (aheadMs: number) => Promise<void> } | null;
}

export type SignatureKeys = Pick<AuditConfig, 'JWT_PRIVATE_JWK' | 'JWT_PREVIOUS_JWKS'>;

/** What a command has that runs without the secrets of the installation. */
export interface AuditPorts {
  readonly pool: Pool;
  readonly config: AuditConfig;
}

export interface CliContext {
  /** Opens the database for one command, and closes it again. */
  readonly withPorts: <Out>(work: (ports: CliPorts) => Promise<Out>) => Promise<Out>;
  /** The same for a command that only reads: it needs DATABASE_URL alone. */
  readonly withAuditPorts: <Out>(work: (ports: AuditPorts) => Promise<Out>) => Promise<Out>;
  /** One line on standard output. */
  readonly say: (line: string) => void;
  readonly readStdin: () => Promise<string>;
  /** Text that nobody can guess. */
  readonly random: () => string;
  readonly newSecrets: (now: Date) => Readonly<Record<string, string>>;
  readonly now: () => Date;
  /** Whose shell it is, for the audit. */
  readonly user: string;
}

/** What the person at the command line can mend: one sentence, and exit code 1. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** What a command has to tell: as lines for a person, or as one JSON document. */
export interface Told {
  readonly lines: readonly string[];
  readonly json: unknown;
}

export interface JsonOption {
  readonly json?: boolean;
}

export function tell({ say }: CliContext, { json }: JsonOption, told: Told): void {
  if (json) say(JSON.stringify(told.json));
  else for (const line of told.lines) say(line);
}

export function writeAudit(
  { user }: CliContext,
  { audit }: Pick<Changing, 'audit'>,
  action: CommandLineAction,
  subject: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  return audit.write({ by: `command line (${user})`, action, subject, detail });
}

export async function projectOf(
  { projects }: { readonly projects: Pick<Projects, 'findBySlug'> },
  slug: string,
): Promise<ProjectView> {
  const project = await projects.findBySlug(slug);
  if (!project) throw new CliError(`There is no project ${slug}.`);
  return project;
}

/** Columns wide enough for their longest cell, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export const day = (at: Date | null): string =>
  at ? at.toISOString().slice(0, 'YYYY-MM-DD HH:MM'.length).replace('T', ' ') : '-';

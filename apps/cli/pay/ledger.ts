import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import type { DayHead, ReadHead } from '../../../domain/pay/ledger/head.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { publicKeys } from '../../../infra/identity/person-tokens.ts';
import { headReader } from '../../../infra/pay/signed-heads.ts';
import { readBookIds, verifyBook, type Verified } from '../../../infra/postgres/pay/ledger/verify.ts';
import type { AuditConfig } from '../../../infra/process/variables.ts';
import { type AuditPorts, type CliContext, CliError, type SignatureKeys } from '../context.ts';

interface VerifyArguments {
  readonly from?: string;
  readonly keys?: string;
  readonly book?: string;
}

/** A JWK set, as `/.well-known/jwks.json` shows it. */
const KeyFile = z.object({
  keys: z.array(
    z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() }),
  ),
});

export function ledgerCommands(program: Command, context: CliContext): void {
  const ledger = program.command('ledger').description('the ledger of the product pay');
  ledger
    .command('verify')
    .description(
      'recomputes the ledger, its chain of blocks and its signed days; exit code 1 where anything differs',
    )
    .option(
      '--from <file>',
      'signed heads that were kept outside: the lines that the finance chat or the witness got',
    )
    .option(
      '--keys <file>',
      'a JWK set kept outside, such as /.well-known/jwks.json of then; with the keys of the configuration',
    )
    .option('--book <project id>', 'this book alone')
    .action((options: VerifyArguments) => context.withAuditPorts((ports) => verify(context, ports, options)));
}

async function verify(
  context: CliContext,
  { pool, config }: AuditPorts,
  options: VerifyArguments,
): Promise<void> {
  const readHead = await headReader(knownKeys(config, options.keys));
  const kept = options.from ? await readHeads(options.from, readHead) : [];
  const books = await readBookIds(pool);
  if (books.length === 0) throw new CliError('There is no book yet: nothing was posted.');
  const chosen = options.book === undefined ? books : [options.book];
  const missing = [...chosen, ...kept.map(({ book }) => book)].find((book) => !books.includes(book));
  if (missing !== undefined)
    throw new CliError(`There is no book "${missing}". The books are: ${books.join(', ')}.`);
  let total = 0;
  for (const book of chosen) {
    const ofBook = kept.filter((head) => head.book === book);
    const asked = { book, kept: ofBook, readHead, now: context.now(), onProgress: context.say };
    const verified = await verifyBook(pool, asked).catch((error: unknown) => failed(book, error));
    sayVerified(context, verified);
    total += verified.differencesTotal;
  }
  if (total > 0)
    throw new CliError(
      `${total === 1 ? '1 difference' : `${total} differences`}. Change nothing, and read "The ledger" in docs/operations.md.`,
    );
  context.say('No difference found.');
}

/** Of the configuration, as far as it names any. */
export const publicKeysOf = ({
  JWT_PRIVATE_JWK: current,
  JWT_PREVIOUS_JWKS: previous = [],
}: SignatureKeys): Parameters<typeof headReader>[0] => [
  ...(current ? publicKeys({ JWT_PRIVATE_JWK: current, JWT_PREVIOUS_JWKS: [] }) : []),
  ...previous,
];

/** Public halves check a signature; the private one is read where it is set, for its public half. */
function knownKeys(config: AuditConfig, file: string | undefined): Parameters<typeof headReader>[0] {
  const keys = [...publicKeysOf(config), ...(file === undefined ? [] : keysOf(file))];
  if (keys.length === 0)
    throw new CliError(
      'No public key to check signatures with: give --keys jwks.json, a copy of /.well-known/jwks.json.',
    );
  return keys;
}

/** What stops the verification of one book is a difference of that book, and the others are verified. */
const failed = (book: string, error: unknown): Verified => ({
  checked: [],
  differences: [`Book ${book} can't be verified: ${error instanceof Error ? error.message : String(error)}.`],
  differencesTotal: 1,
});

function sayVerified({ say }: CliContext, { checked, differences, differencesTotal }: Verified): void {
  for (const line of checked) say(`checked: ${line}`);
  for (const line of differences) say(`DIFFERENCE: ${line}`);
  if (differencesTotal > differences.length)
    say(`DIFFERENCE: and ${differencesTotal - differences.length} more.`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError(`${path} can't be read.`, { cause });
  }
}

function keysOf(path: string): z.infer<typeof KeyFile>['keys'] {
  const parsed = KeyFile.safeParse(parseJson(read(path)));
  if (!parsed.success) throw new CliError(`${path} is no JWK set of Ed25519 keys: {"keys": […]}.`);
  return parsed.data.keys;
}

/** The signed lines of a file; words between them, as a chat has them, are passed over. */
async function readHeads(path: string, readHead: ReadHead): Promise<DayHead[]> {
  const heads: DayHead[] = [];
  for (const [index, line] of read(path).split('\n').entries()) {
    if (!line.trim().startsWith('eyJ')) continue;
    const reading = await readHead(line.trim());
    const at = `${path}, line ${index + 1}`;
    if (reading.kind === 'unknown-key')
      throw new CliError(
        `${at} is signed by the key ${reading.kid}, which is not in JWT_PRIVATE_JWK or JWT_PREVIOUS_JWKS. Give its public key with --keys.`,
      );
    if (reading.kind === 'forged') throw new CliError(`${at} is no head that this installation signed.`);
    heads.push(reading.head);
  }
  if (heads.length === 0) throw new CliError(`${path} holds no signed head: a line that begins with eyJ.`);
  return heads;
}

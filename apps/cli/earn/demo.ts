import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { dayAfter, tashkentDay } from '../../../domain/pay/ledger/head.ts';
import type { KeyScope } from '../../../domain/project/key.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import type { AuditEntry } from '../../../domain/staff/audit.ts';
import { prices } from '../../../infra/postgres/earn/price/prices.ts';
import { watchedSessions } from '../../../infra/postgres/earn/traffic/watch.ts';
import { inTransaction } from '../../../infra/postgres/engine/transaction.ts';
import { openMoneyBook } from '../../../infra/postgres/pay/money-project.ts';
import { writeAudit as writeAuditRow } from '../../../infra/postgres/staff/audit.ts';
import {
  type CliContext,
  CliError,
  type CliPorts,
  type JsonOption,
  table,
  tell,
  writeAudit,
} from '../context.ts';
import { madeKey } from '../keys.ts';
import { carriedBytes, newPerson, type SandboxUrls, send } from './sandbox.ts';
import { lineOf, type Shown } from './sharing-lines.ts';

/** 1.50 UZS a MB: what a newcomer's phones earn, until somebody sets another price. */
const PRICE_TIYIN = 150;
const PHONES = 20;
const PHONES_MAX = 200;
const SECONDS = 60;
/** Their tokens are good for ten minutes. */
const SECONDS_MAX = 540;
const EVERY_MS = 1_000;
/** Codes on their way at once. */
const TOGETHER = 4;
/** A demonstration that was killed leaves keys that end by themselves. */
const KEY_MS = 3_600_000;
/** Gathered, metered: what the phones said last shows by then. */
const METERED_MS = 6_000;

const whole = (most: number) => (text: string) => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1 || number > most)
    throw new InvalidArgumentError(`expected a whole number from 1 to ${most}`);
  return number;
};

/** What a newcomer sees of sharing traffic, against a sandbox alone. */
export function demoCommands(program: Command, context: CliContext): void {
  const demo = program
    .command('demo')
    .description('shows how traffic is shared, in a sandbox (docs/earn.md)');
  demo
    .command('price')
    .description('a first price of a MB, where nobody has ever set one')
    .option('--json')
    .action((options: JsonOption) =>
      context.withPorts(async (ports) => {
        const { book } = await earningOf(ports);
        const price = await ensurePrice(context, ports, book);
        tell(context, options, {
          lines: [`${price.day}: ${price.tiyinPerMb} tiyin a MB`],
          json: { day: price.day, tiyin_per_mb: price.tiyinPerMb },
        });
      }),
    );
  demo
    .command('traffic')
    .description(
      'phones that share for a minute, one of which cheats: a line each, with what is paid and why not',
    )
    .option('--phones <count>', 'how many', whole(PHONES_MAX), PHONES)
    .option('--seconds <seconds>', 'how long', whole(SECONDS_MAX), SECONDS)
    .action((size: Size) => context.withPorts((ports) => showTraffic(context, ports, size)));
}

interface Size {
  readonly phones: number;
  readonly seconds: number;
}

/** @throws CliError where it is no sandbox, or nobody earns in it. */
async function earningOf(ports: CliPorts) {
  if (ports.clock === null)
    throw new CliError(
      'A demonstration makes people, keys and traffic, and runs in a sandbox alone: npm start -- --with pay,earn, or processes that have SANDBOX_CLOCK=true.',
    );
  const { config, pool } = ports;
  if (config.MONEY_PROJECT === undefined)
    throw new CliError('MONEY_PROJECT: missing. Does npm start run, with --with pay,earn?');
  const book = await openMoneyBook(pool, config);
  const project = (await ports.projects.list()).find(({ id }) => id === book);
  if (!project) throw new CliError(`MONEY_PROJECT: there is no project ${book}.`);
  const urls: SandboxUrls = {
    api: config.PUBLIC_URL,
    inbox: `http://127.0.0.1:${config.SANDBOX_PORT}`,
    traffic: `http://127.0.0.1:${config.SANDBOX_TRAFFIC_PORT}`,
  };
  return { book, project, urls };
}

/** What was set stays. The first price of all may be for today. */
async function ensurePrice(context: CliContext, ports: CliPorts, book: ProjectId) {
  const today = tashkentDay(context.now());
  const there = await prices(ports.pool, book).of(today);
  if (there) return there;
  const staff = (await ports.staff.list()).find(
    ({ role, disabledAt }) => disabledAt === null && (role === 'admin' || role === 'finance'),
  );
  if (!staff)
    throw new CliError(
      'A price is set by a member of staff, and there is none of the roles finance and admin: npm run navbat -- staff create admin@example.com --role admin',
    );
  await inTransaction(ports.pool, async (tx) => {
    const set = await prices(tx, book).set(today, PRICE_TIYIN, staff.id);
    if (!set.ok) throw new CliError(`The price was not set: ${set.reason}.`);
    const audit = { write: (entry: AuditEntry) => writeAuditRow(tx, entry) };
    await writeAudit(context, { audit }, 'price.seed', today, {
      tiyin_per_mb: PRICE_TIYIN,
      staff: staff.email,
    });
  });
  return { day: today, tiyinPerMb: PRICE_TIYIN, carried: false };
}

async function showTraffic(context: CliContext, ports: CliPorts, size: Size): Promise<void> {
  const { book, project, urls } = await earningOf(ports);
  const price = await ensurePrice(context, ports, book);
  const people = await makeKey(context, ports, project, 'public');
  const gateways = await makeKey(context, ports, project, 'gateways');
  const phones: DemoPhone[] = [];
  const cut = new AbortController();
  const stop = () => cut.abort();
  process.once('SIGINT', stop);
  try {
    context.say(
      `${size.phones} people sign in, and their phones begin to share; each MB earns ${price.tiyinPerMb / 100} UZS.`,
    );
    try {
      await startPhones(
        urls,
        phones,
        size.phones,
        { people: people.text, gateways: gateways.text },
        cut.signal,
      );
      await watch(context, ports, urls, phones, size.seconds, cut.signal);
      await refresh(urls, phones);
    } finally {
      await Promise.allSettled(phones.map(({ id }) => send(`${urls.traffic}/phones/${id}`, 'DELETE', null)));
    }
    await sleep(METERED_MS);
    const shown = await read(ports, phones);
    for (const line of linesOf(shown)) context.say(line);
    context.say(closing(shown, price.day));
  } finally {
    process.off('SIGINT', stop);
    await ports.change(async (changing) => {
      for (const { id } of [people, gateways]) {
        await changing.projects.revokeKey(book, id, context.now());
        await writeAudit(context, changing, 'key.revoke', project.slug, { key: id });
      }
    });
  }
}

async function makeKey(
  context: CliContext,
  ports: CliPorts,
  { id, slug }: { readonly id: ProjectId; readonly slug: string },
  scope: KeyScope,
): Promise<{ readonly id: string; readonly text: string }> {
  const now = context.now();
  const order = {
    name: `demo traffic: ${scope}`,
    access: 'secret' as const,
    mode: 'live' as const,
    scopes: [scope],
    expiresAt: new Date(now.getTime() + KEY_MS),
  };
  return ports.change(async (changing) => {
    const { key, text } = madeKey(await changing.projects.createKey(id, order, now));
    await writeAudit(context, changing, 'key.create', slug, { key: key.id });
    return { id: key.id, text };
  });
}

interface DemoPhone {
  readonly id: string;
  readonly session: string;
  readonly manner: string;
  /** Bytes that went through. */
  carried: number;
}

/** The first cheats, one sleeps and one repeats itself. */
const mannerOf = (index: number): string => ['cheats', 'sleeps', 'repeats'][index] ?? 'honest';

const MadeGateway = z.object({ gateway_id: z.uuid() });
const MadePhone = z.object({ phone_id: z.uuid(), session_id: z.uuid() });

/** Those that have begun are in `phones`, so that they are stopped, whatever becomes of the others. */
async function startPhones(
  urls: SandboxUrls,
  phones: DemoPhone[],
  count: number,
  keys: Readonly<Record<'people' | 'gateways', string>>,
  signal: AbortSignal,
): Promise<void> {
  const made = await send(`${urls.traffic}/gateways`, 'POST', { api: urls.api, key: keys.gateways });
  const { gateway_id } = MadeGateway.parse(made);
  const start = async (index: number): Promise<void> => {
    const manner = mannerOf(index);
    const access_token = await newPerson(urls, keys.people);
    const order = { api: urls.api, access_token, gateway_id, manner };
    const phone = MadePhone.parse(await send(`${urls.traffic}/phones`, 'POST', order));
    phones.push({ id: phone.phone_id, session: phone.session_id, manner, carried: 0 });
  };
  for (let from = 0; from < count && !signal.aborted; from += TOGETHER) {
    const next = Array.from({ length: Math.min(TOGETHER, count - from) }, (_, n) => start(from + n));
    await Promise.all(next);
  }
}

/** At a terminal the lines are written over each other; elsewhere only the last ones are written, by who called. */
async function watch(
  context: CliContext,
  ports: CliPorts,
  urls: SandboxUrls,
  phones: readonly DemoPhone[],
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const isTerminal = process.stdout.isTTY === true;
  let above = 0;
  for (let second = 0; second < seconds && !signal.aborted; second += 1) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (!isTerminal) continue;
    await refresh(urls, phones);
    // A line that is wrapped would be two to write over.
    const lines = linesOf(await read(ports, phones)).map((line) => line.slice(0, process.stdout.columns - 1));
    context.say(`${above > 0 ? `\u001B[${above}A\u001B[J` : ''}${lines.join('\n')}`);
    above = lines.length;
  }
  if (isTerminal && above > 0) context.say(`\u001B[${above}A\u001B[J`);
}

async function refresh(urls: SandboxUrls, phones: readonly DemoPhone[]): Promise<void> {
  const carried = await carriedBytes(urls);
  for (const phone of phones) phone.carried = carried.get(phone.id) ?? phone.carried;
}

async function read({ pool }: CliPorts, phones: readonly DemoPhone[]): Promise<readonly Shown[]> {
  const metered = await watchedSessions(pool)(phones.map(({ session }) => session));
  return phones.map(({ manner, carried, session }) => ({ manner, carried, metered: metered.get(session) }));
}

const HEAD = ['phone', 'how', 'went through', 'says', 'paid', 'UZS', 'unpaid', 'because'];
const linesOf = (shown: readonly Shown[]): string[] =>
  table([HEAD, ...shown.map((one, index) => [String(index + 1), ...lineOf(one)])]);

const closing = (shown: readonly Shown[], day: string): string => {
  const micros = shown.reduce((sum, { metered }) => sum + (metered?.paidMicros ?? 0n), 0n);
  return `${Number(micros / 10_000n) / 100} UZS are earned. The day is closed into the ledger at 00:05 of ${dayAfter(day, 3)} in Tashkent: npm run navbat -- clock forward 4d. What comes then: docs/earn.md`;
};

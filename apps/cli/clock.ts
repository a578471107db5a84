import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { fromBase32 } from '../../domain/shared/otpauth.ts';
import { TOTP_SECRET_BYTES, TOTP_STEP_SECONDS, totpCode, totpStep } from '../../domain/shared/totp.ts';
import { FOLLOWED_WITHIN_MS } from '../../infra/process/clock.ts';
import { type CliContext, CliError, type CliPorts, type JsonOption, tell } from './context.ts';

export function clockCommands(program: Command, context: CliContext): void {
  const clock = program
    .command('clock')
    .description('the time of a sandbox: all its processes and its SQL have followed when a command ends');
  clock
    .command('show')
    .description('shows the time, and how far ahead of the real time it is')
    .option('--json')
    .action((options: JsonOption) => move(context, options, (aheadMs) => aheadMs));
  clock
    .command('forward <span>')
    .description('moves it forward, by 30s, 10m, 2h, 4d or 1d12h')
    .option('--json')
    .action((span: string, options: JsonOption) => {
      const ms = spanMs(span);
      return move(context, options, (aheadMs) => aheadMs + ms);
    });
  clock
    .command('reset')
    .description('back to the real time; rows that were written with later times keep them')
    .option('--json')
    .action((options: JsonOption) => move(context, options, () => 0));
  clock
    .command('code <secret>')
    .description('moves it 30s forward, and shows the new code of an authenticator app with this secret')
    .option('--json')
    .action((secret: string, options: JsonOption) => nextCode(context, options, secretOf(secret)));
}

/** Ten years: longer than anything that Navbat keeps or waits for. */
const AHEAD_DAYS_MAX = 3_650;
const DAY_MS = 86_400_000;
const SPAN = /^(?:(\d{1,4})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;

/** @throws CliError */
function spanMs(text: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = SPAN.exec(text) ?? [];
  const ms = (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  if (ms > 0) return ms;
  throw new CliError('span: expected a time such as 30s, 10m, 2h, 4d or 1d12h.');
}

async function move(
  context: CliContext,
  options: JsonOption,
  next: (aheadMs: number) => number,
): Promise<void> {
  const { now, aheadMs } = await moved(context, next);
  const shown = { now: now.toISOString(), ahead_seconds: aheadMs / 1_000 };
  tell(context, options, {
    lines: [`now    ${shown.now}`, `ahead  ${shown.ahead_seconds} s`],
    json: shown,
  });
}

/** A code works once: after a step of its own, each call answers another. */
async function nextCode(context: CliContext, options: JsonOption, secret: Uint8Array): Promise<void> {
  const { now } = await moved(context, (aheadMs) => aheadMs + TOTP_STEP_SECONDS * 1_000);
  const code = totpCode(secret, totpStep(now));
  tell(context, options, { lines: [code], json: { code } });
}

/** @throws CliError */
function secretOf(text: string): Uint8Array {
  try {
    const secret = fromBase32(text);
    if (secret.length === TOTP_SECRET_BYTES) return secret;
  } catch {
    // The same sentence as for a secret of another length.
  }
  throw new CliError(
    'secret: expected the 32 signs of base32 that POST /staff/sessions/second-factor/set-up answered.',
  );
}

function moved(
  context: CliContext,
  next: (aheadMs: number) => number,
): Promise<{ readonly now: Date; readonly aheadMs: number }> {
  return context.withPorts(async ({ clock }) => {
    const { aheadMs: before, move: moveTo } = sandboxClock(clock);
    const aheadMs = next(before);
    if (aheadMs > AHEAD_DAYS_MAX * DAY_MS)
      throw new CliError(`span: expected to stay within ${AHEAD_DAYS_MAX} days of the real time.`);
    if (aheadMs !== before) {
      await moveTo(aheadMs);
      // A job that a process accepts in the new time would sleep in a worker that has not followed yet.
      await sleep(FOLLOWED_WITHIN_MS);
    }
    return { now: new Date(context.now().getTime() - before + aheadMs), aheadMs };
  });
}

function sandboxClock(clock: CliPorts['clock']): NonNullable<CliPorts['clock']> {
  if (clock) return clock;
  throw new CliError(
    'Only the time of a sandbox may be moved: that of the database that npm start brings, or of one whose processes have SANDBOX_CLOCK=true.',
  );
}

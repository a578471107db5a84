import { randomInt } from 'node:crypto';
import type { Navbat, TestProject } from './navbat.ts';

/** What strangers try on one number, with keys of their own and from addresses that they say they have. */
export interface Flood {
  readonly number: string;
  readonly projects: readonly TestProject[];
  /** All of them together. */
  readonly requests: number;
  readonly atOnce: number;
  /** Codes that are not guessed: one guess in a few hundred thousand hits, which would make a lottery of the test (ADR 0016). */
  readonly spared: ReadonlySet<string>;
}

export interface FloodFigures {
  readonly sends: number;
  readonly sendsAccepted: number;
  readonly checks: number;
  readonly checksByStatus: Readonly<Record<string, number>>;
  /** Refusals of sends by their reason. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly approved: number;
  readonly seconds: number;
}

/** Codes by SMS, by the app, and by authenticators; each with a purpose of its own, so that one is no resend of another. */
const sendBodies = [
  { channels: ['sms'] },
  { channels: ['push', 'sms'] },
  { channels: ['totp', 'sms'], allow_verify_by_to: true },
  { channels: ['totp'] },
  { channels: ['push'] },
] as const;

/** One send in twenty: it makes what the checks are tried on. */
const CHECKS_A_SEND = 19;

/** Runs the flood and tells what became of it. A code that it hits is counted, and not used any further. */
export async function flood({ number, projects, requests, atOnce, spared }: Flood): Promise<FloodFigures> {
  const tally = { sends: 0, sendsAccepted: 0, checks: 0, approved: 0 };
  const checksByStatus: Record<string, number> = {};
  const refusals: Record<string, number> = {};
  const ids = new Map<string, string[]>(projects.map(({ id }) => [id, []]));

  const send = async (project: TestProject, n: number) => {
    tally.sends++;
    const body = {
      to: number,
      purpose: `hostile-${n}`,
      client: stranger(),
      ...sendBodies[n % sendBodies.length],
    };
    const { status, body: answer } = await project.call('POST', '/otp/send', body, fromAnywhere());
    if (status === 202) {
      tally.sendsAccepted++;
      ids.get(project.id)?.push(answer.id as string);
    } else add(refusals, String(answer.type).replace('urn:navbat:problem:', ''));
  };
  const check = async (project: TestProject, n: number) => {
    tally.checks++;
    const known = ids.get(project.id) ?? [];
    const id = n % 3 === 0 ? undefined : known[n % Math.max(1, known.length)];
    const of = id === undefined ? { to: number, purpose: `hostile-${n % sendBodies.length}` } : { id };
    const body = { ...of, code: guess(spared), client: stranger() };
    const { status } = await project.call('POST', '/otp/verify', body, fromAnywhere());
    if (status === 200) tally.approved++;
    add(checksByStatus, String(status));
  };

  const startedMs = performance.now();
  let next = 0;
  const attacker = async () => {
    for (let n = next++; n < requests; n = next++) {
      const project = projects[n % projects.length];
      const round = Math.floor(n / projects.length);
      const isSend = round % (CHECKS_A_SEND + 1) === 0;
      if (project) await (isSend ? send(project, round / (CHECKS_A_SEND + 1)) : check(project, round));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, attacker));
  const seconds = (performance.now() - startedMs) / 1_000;
  return { ...tally, checksByStatus, refusals, seconds };
}

const add = (counts: Record<string, number>, what: string) => {
  counts[what] = (counts[what] ?? 0) + 1;
};
function guess(spared: ReadonlySet<string>): string {
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  return spared.has(code) ? guess(spared) : code;
}
const address = () => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
const stranger = () => ({ ip: address() });
/** With `TRUST_PROXY=1`, the address that the request seems to come from. */
const fromAnywhere = () => ({ 'X-Forwarded-For': address() });

/** Waits until nothing that was sent to it is on its way any more; then how many messages that cost money have left. */
export async function paidMessages({ db, sandbox }: Navbat, number: string): Promise<number> {
  for (;;) {
    const { rows } = await db.query<{ n: number }>(
      `select count(*)::int n from job j join verification v on v.id = j.subject_id where v.phone = $1 and j.finished_at is null and v.channels && '{sms,telegram-gateway}'`,
      [number],
    );
    if (rows[0]?.n === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return sandbox.inbox({ to: number }).length;
}

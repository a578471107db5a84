import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { authenticator, type Authenticator } from '../../../support/authenticator.ts';

/** An installation that runs, as its users reach it: by HTTP, and by the command line. */
export interface Installation {
  readonly apiUrl: string;
  readonly boardUrl: string;
  readonly sandboxUrl: string;
  readonly multicardUrl: string;
  readonly home: string;
  /** What its command line is started with, where that does not stand in its home. */
  readonly env?: Readonly<Record<string, string>>;
}
type Board = Pick<Installation, 'home' | 'env' | 'boardUrl'>;

const clone = resolve(import.meta.dirname, '../../../..');
const CLI_MS_MAX = 60_000;
/** Of the board's limit of logins, which is counted by the minute. */
const LOGIN_WAIT_SECONDS_MAX = 60;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read what they expect, and fail where it is not.
  readonly body: any;
}

/** `npm run navbat -- …`, as in another terminal. Answers what it printed as JSON. */
export async function navbat(
  { home, env = {} }: Pick<Installation, 'home' | 'env'>,
  ...args: readonly string[]
) {
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ['apps/cli/main.ts', ...args, '--json'], {
    cwd: clone,
    env: { PATH, NAVBAT_HOME: home, ...env },
    timeout: CLI_MS_MAX,
  });
  return JSON.parse(stdout);
}

/** What an address answers, as curl shows it. */
export async function ask(url: string, method: string, headers: Record<string, string>, body?: unknown) {
  const sent = body instanceof Uint8Array ? body : body === undefined ? null : JSON.stringify(body);
  const answer = await fetch(url, {
    method,
    headers: {
      Accept: 'application/json',
      ...(sent === null || sent instanceof Uint8Array ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: typeof sent === 'string' || sent === null ? sent : Uint8Array.from(sent),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  return {
    status: answer.status,
    headers: answer.headers,
    body: isJson ? JSON.parse(bytes.toString()) : bytes,
  } satisfies Answer;
}

const Made = z.object({ id: z.uuid(), email: z.string(), password: z.string() });

/** Somebody of finance at their terminal: a login, an authenticator app, and a count of what they sent. */
export class FinancePerson {
  readonly #at: Board;
  readonly #made: z.infer<typeof Made>;
  readonly #now: () => Date;
  #app: Authenticator | null = null;
  #token = '';
  /** Requests of `/finance` and `/staff/proofs`, as `POST /finance/batches`. */
  readonly sent: string[] = [];

  private constructor(at: Board, made: z.infer<typeof Made>, now: () => Date) {
    this.#at = at;
    this.#made = made;
    this.#now = now;
  }

  static async create(at: Board, email: string, now: () => Date): Promise<FinancePerson> {
    const made = Made.parse(await navbat(at, 'staff', 'create', email, '--role', 'finance'));
    return new FinancePerson(at, made, now);
  }

  /** The first time with the set-up of the second factor. A session lasts twelve hours. */
  async logIn(): Promise<void> {
    const { email, password } = this.#made;
    const half = await this.#open('/staff/sessions', '', { email, password });
    this.#token = half.token;
    if (half.second_factor === 'set-up')
      this.#app = authenticator(
        (await this.#open('/staff/sessions/second-factor/set-up', half.token)).secret,
      );
    const whole = await this.#open('/staff/sessions/second-factor', half.token, { code: await this.code() });
    this.#token = whole.token;
  }

  async #open(path: string, token: string, body?: object): Promise<Answer['body']> {
    const headers: Record<string, string> = token === '' ? {} : { Authorization: `Bearer ${token}` };
    const answer = await ask(this.#at.boardUrl + path, 'POST', headers, body);
    // Days pass within seconds here, and with each of them everybody logs in.
    const waitSeconds = Number(answer.headers.get('retry-after'));
    if (answer.status === 429 && waitSeconds <= LOGIN_WAIT_SECONDS_MAX) {
      await setTimeout(waitSeconds * 1_000);
      return this.#open(path, token, body);
    }
    if (answer.status > 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async code(): Promise<string> {
    if (!this.#app) throw new Error('no second factor');
    return this.#app.freshCode(this.#now());
  }

  /** Answers what may be refused. */
  async try(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    this.sent.push(`${method} ${path}`);
    return ask(
      this.#at.boardUrl + path,
      method,
      { Authorization: `Bearer ${this.#token}`, ...headers },
      body,
    );
  }

  /** @throws where it is refused. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await this.try(method, path, body, headers);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }

  /** Waits where the address has shown too many codes in a minute: both people sit at one. */
  async proof(binds: object): Promise<string> {
    const shown = await this.try('POST', '/staff/proofs', { code: await this.code(), binds });
    if (shown.status === 201) return shown.body.id;
    if (shown.status !== 429) throw new Error(`a proof: ${shown.status} ${JSON.stringify(shown.body)}`);
    await setTimeout(Number(shown.headers.get('retry-after')) * 1_000);
    return (await this.send('POST', '/staff/proofs', { code: await this.code(), binds })).body.id;
  }
}

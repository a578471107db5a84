import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson } from '../../../domain/shared/json.ts';
import { CliError } from '../context.ts';

/** Where a sandbox has its api, its inbox, and its phones and gateways. */
export interface SandboxUrls {
  readonly api: string;
  readonly inbox: string;
  readonly traffic: string;
}

const ANSWER_MS_MAX = 20_000;
const LOOK_MS = 200;
const CODE_MS_MAX = 30_000;

const Asked = z.object({ id: z.uuid(), check_token: z.string().optional() });
const SignedIn = z.object({ access_token: z.string() });
const Messages = z.array(z.object({ text: z.string() }));
const Sharing = z.object({
  data: z.array(z.object({ phone_id: z.uuid(), bytes_carried: z.number() })),
});

/** @throws CliError */
export async function send(url: string, method: string, body: object | null, key?: string): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).catch((cause: unknown) => {
    throw new CliError(`${new URL(url).origin} does not answer. Does npm start run, with --with pay,earn?`, {
      cause,
    });
  });
  const text = await answer.text();
  if (!answer.ok) throw new CliError(`${method} ${new URL(url).pathname}: ${answer.status} ${text}`);
  return parseJson(text);
}

/**
 * A new person, who signs in by a code that their phone is sent.
 *
 * @param key a secret key of the project in which people earn, of the scope `public`.
 * @returns their access token, which is good for ten minutes.
 */
export async function newPerson({ api, inbox }: SandboxUrls, key: string): Promise<string> {
  // Each of another prefix: codes to many numbers of one look like fraud.
  const phone = `+99890${randomInt(1_000_000, 9_999_999)}`;
  const asked = Asked.parse(await send(`${api}/auth/code`, 'POST', { phone }, key));
  const untilMs = performance.now() + CODE_MS_MAX;
  for (;;) {
    const url = `${inbox}/inbox.json?to=${encodeURIComponent(phone)}`;
    const said = Messages.parse(await send(url, 'GET', null));
    const code = /\b\d{6}\b/.exec(said.at(-1)?.text ?? '')?.[0];
    if (code !== undefined) {
      const shown = { ...asked, code };
      return SignedIn.parse(await send(`${api}/auth/code/verify`, 'POST', shown, key)).access_token;
    }
    if (performance.now() > untilMs) throw new CliError(`No code has come to ${phone}: see ${inbox}/inbox.`);
    await sleep(LOOK_MS);
  }
}

/** What went through each phone, in bytes. */
export async function carriedBytes({ traffic }: SandboxUrls): Promise<ReadonlyMap<string, number>> {
  const { data } = Sharing.parse(await send(`${traffic}/phones`, 'GET', null));
  return new Map(data.map(({ phone_id, bytes_carried }) => [phone_id, bytes_carried]));
}

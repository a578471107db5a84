import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'undici';

/** One place where a service, an app or a stranger names somebody, and might be told whether we know them. */
export interface Surface {
  readonly name: string;
  /** What must be there before it is asked; gives what the question needs. */
  readonly prepare: (asker: Asker, number: string) => Promise<string>;
  readonly ask: (asker: Asker, number: string, prepared: string) => Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Asker {
  readonly client: Client;
  /** Of a project of its own for each surface, so that its limits are not those of another. */
  readonly key: string;
}

async function post({ client, key }: Asker, path: string, body: object): Promise<Answer> {
  const {
    statusCode,
    headers,
    body: answer,
  } = await client.request({
    method: 'POST',
    path,
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      // With TRUST_PROXY=1: no address meets the limit of addresses.
      'X-Forwarded-For': [10, ...randomBytes(3)].join('.'),
    },
    body: JSON.stringify(body),
  });
  return { status: statusCode, headers, text: await answer.text() };
}

async function idOf(answer: Promise<Answer>): Promise<string> {
  const { status, text } = await answer;
  if (status >= 300) throw new Error(`${status} ${text}`);
  return (JSON.parse(text) as { id: string }).id;
}

const nothing = async () => '';
const send = (asker: Asker, to: string, more: object) => post(asker, '/otp/send', { to, ...more });
/** No code of anybody's: seven digits, which a device never shows, would be refused another way. */
const WRONG_CODE = '000000';

export const surfaces: readonly Surface[] = [
  {
    name: 'POST /otp/send by push',
    prepare: nothing,
    ask: (asker, to) => send(asker, to, { channels: ['push'] }),
  },
  {
    name: 'POST /otp/send by totp',
    prepare: nothing,
    ask: (asker, to) => send(asker, to, { channels: ['totp'] }),
  },
  { name: 'POST /otp/send by the default order', prepare: nothing, ask: (asker, to) => send(asker, to, {}) },
  {
    name: 'POST /otp/verify, a wrong code for totp',
    prepare: (asker, to) => idOf(send(asker, to, { channels: ['totp'] })),
    ask: (asker, _to, id) => post(asker, '/otp/verify', { id, code: WRONG_CODE }),
  },
  {
    name: 'POST /otp/verify by to, a wrong code for totp',
    prepare: (asker, to) => idOf(send(asker, to, { channels: ['totp'], allow_verify_by_to: true })),
    ask: (asker, to) => post(asker, '/otp/verify', { to, code: WRONG_CODE }),
  },
  {
    name: 'POST /otp/verify by to, where nothing was sent',
    prepare: nothing,
    ask: (asker, to) => post(asker, '/otp/verify', { to, code: WRONG_CODE }),
  },
  { name: 'POST /auth/code', prepare: nothing, ask: (asker, phone) => post(asker, '/auth/code', { phone }) },
  {
    name: 'POST /auth/approval',
    prepare: nothing,
    ask: (asker, to) => post(asker, '/auth/approval', { to }),
  },
  {
    name: 'POST /auth/approval/token, not answered',
    prepare: async (asker, to) => (await post(asker, '/auth/approval', { to })).text,
    ask: (asker, _to, asked) => {
      const { id, poll_token } = JSON.parse(asked) as { id: string; poll_token: string };
      return post(asker, '/auth/approval/token', { id, poll_token });
    },
  },
];

/** `POST /devices` with a token that was never made; where it was used, or is over, it must read the same. */
export function claimWith(asker: Asker, token: string): Promise<Answer> {
  return post(asker, '/devices', { token, name: 'phone', public_key: publicKey });
}

/** Any point will do: nothing of it is proven before the token is. */
const publicKey = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
} as const;

export const newToken = () => randomBytes(32).toString('base64url');
export const hashOfToken = (token: string) => createHash('sha256').update(token).digest();

export const openAsker = (apiUrl: string, key: string): Asker => ({ client: new Client(apiUrl), key });

/** Differ with every answer, to whomever. */
const passing: ReadonlySet<string> = new Set(['date', 'x-request-id', 'etag']);

/** An answer without what differs between any two: ids, times, tokens, what is left of a limit. */
export function shapeOf({ status, headers, text }: Answer): unknown {
  const kept = Object.entries(headers).filter(([name]) => !passing.has(name));
  return {
    status,
    headers: Object.fromEntries(kept.map(([name, value]) => [name, masked(String(value))])),
    body: maskedJson(text),
  };
}

/** What is one secret or id each; its length still shows. */
const secretFields: ReadonlySet<string> = new Set(['number', 'poll_token', 'token']);

function maskedJson(text: string): unknown {
  return JSON.parse(text, (name, value: unknown) => {
    if (typeof value !== 'string') return value;
    return secretFields.has(name) ? `${value.length} characters` : masked(value);
  });
}

const masked = (text: string) =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)/g, '<time>')
    .replaceAll(/;r=\d+;t=\d+/g, ';r=<left>;t=<left>');

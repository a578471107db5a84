import { createHash, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { fromBase32 } from '../../domain/shared/otpauth.ts';
import { plainWords } from '../../domain/shared/schema-words.ts';
import { totpCode, totpStep } from '../../domain/shared/totp.ts';
import { type Answer, json, problem, unfit } from './http.ts';

const API = 'http://127.0.0.1:3000';
const ANSWER_MS_MAX = 15_000;
/** 5 s: the person holds the phone in their hand. */
const LOOKS_MAX = 11;
const LOOK_EVERY_MS = 500;
/** For so long a device that was claimed may be confirmed, as the reference of the api says. */
const CONFIRM_MS = 300_000;

/** `POST /phones`: binds a phone to the person whose access token of Navbat's own app this is. */
const BindOrder = z.strictObject({
  access_token: z.string().min(1),
  api: z.url({ protocol: /^https?$/ }).default(API),
});
/** `POST /phones/answer`: the person types the number, as the page shows it that asks, or denies that they asked. */
const AnswerOrder = z
  .strictObject({
    device_id: z.uuid(),
    decision: z.literal(['approve', 'deny', 'report']).default('approve'),
    number: z
      .string()
      .regex(/^\d{2}$/, 'expected two digits')
      .optional(),
  })
  .refine(({ decision, number }) => (decision === 'approve') === (number !== undefined), {
    path: ['number'],
    error: 'expected two digits where the decision is approve, and no number where it is another',
  });

const Enrolled = z.object({ token: z.string() });
const Claimed = z.object({
  id: z.uuid(),
  nonce: z.string(),
  totp: z.object({ secret: z.string() }),
  confirm_until: z.coerce.date(),
});
const Session = z.object({ access_token: z.string(), refresh_token: z.string() });
const Waiting = z.object({ data: z.array(z.object({ id: z.uuid() })) });
const Asked = z.object({
  id: z.uuid(),
  project: z.unknown(),
  purpose: z.unknown(),
  context: z.unknown(),
  expires_at: z.unknown(),
});

interface Phone {
  readonly api: string;
  readonly key: KeyObject;
  session: z.infer<typeof Session>;
}

/** What the api refused, as it said it. */
class Refused extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super('the api refused');
    this.answer = answer;
  }
}

/** Phones with Navbat's app, which sign by keys of their own. Gone after a restart. */
export class Phones {
  readonly #phones = new Map<string, Phone>();

  async bind(fields: unknown): Promise<Answer> {
    const order = BindOrder.safeParse(fields, { error: plainWords });
    if (!order.success) return unfit(order.error);
    const { api, access_token: token } = order.data;
    return orRefusal(async () => {
      const { privateKey: key, publicKey } = generateKeyPairSync('ed25519');
      const jwk = publicKey.export({ format: 'jwk' });
      const { token: qr } = Enrolled.parse(await call(api, 'POST', '/me/enrolments', { token, body: {} }));
      const device = { token: qr, name: 'Phone of the sandbox', platform: 'sandbox', public_key: jwk };
      const claimed = Claimed.parse(await call(api, 'POST', '/devices', { body: device }));
      const { id, nonce } = claimed;
      // The time of the api, which a sandbox's clock may have moved.
      const now = new Date(claimed.confirm_until.getTime() - CONFIRM_MS);
      const proof = {
        signature: signed(key, 'navbat-device-v1', { device: id, nonce, public_key: thumbprint(jwk) }),
        totp: totpCode(fromBase32(claimed.totp.secret), totpStep(now)),
      };
      const confirmed = await call(api, 'POST', `/devices/${id}/confirm`, { body: proof });
      const { session } = z.object({ session: Session }).parse(confirmed);
      this.#phones.set(id, { api, key, session });
      return json(201, { device_id: id });
    });
  }

  /** Answers what waits for this phone longest. */
  async answer(fields: unknown): Promise<Answer> {
    const order = AnswerOrder.safeParse(fields, { error: plainWords });
    if (!order.success) return unfit(order.error);
    const phone = this.#phones.get(order.data.device_id);
    if (!phone) return problem('No phone of the sandbox is bound as this device: POST /phones first.', 404);
    const { api, key } = phone;
    return orRefusal(async () => {
      const refresh = { body: { refresh_token: phone.session.refresh_token } };
      phone.session = Session.parse(await call(api, 'POST', '/auth/refresh', refresh));
      const token = phone.session.access_token;
      const first = await firstWaiting(api, token);
      if (!first) return problem('Nothing waits for an answer of this phone.', 404);
      const asked = await call(api, 'GET', `/me/challenges/${first.id}`, { token });
      const { id, ...shown } = Asked.parse(asked);
      const { decision, number } = order.data;
      const said = { decision, ...(number !== undefined && { number }) };
      const statement = { challenge: id, ...shown, decision, number: number ?? null };
      const signature = signed(key, 'navbat-approval-v1', statement);
      const body = { ...said, signature };
      return json(200, await call(api, 'POST', `/me/challenges/${id}/answer`, { token, body }));
    });
  }
}

/** A worker asks the phone, a moment after the page had its number. */
async function firstWaiting(api: string, token: string): Promise<{ readonly id: string } | undefined> {
  for (let looks = 1; ; looks += 1) {
    const [first] = Waiting.parse(await call(api, 'GET', '/me/challenges', { token })).data;
    if (first || looks === LOOKS_MAX) return first;
    await sleep(LOOK_EVERY_MS);
  }
}

async function orRefusal(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    return problem(`The api did not answer as it should: ${String(error)}`, 502);
  }
}

/** @throws Refused */
async function call(
  api: string,
  method: string,
  path: string,
  { token, body }: { readonly token?: string; readonly body?: object },
): Promise<unknown> {
  const answer = await fetch(new URL(path, api), {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const text = await answer.text();
  const headers = { 'content-type': answer.headers.get('content-type') ?? 'text/plain' };
  if (!answer.ok) throw new Refused({ status: answer.status, headers, body: text });
  return JSON.parse(text);
}

const signed = (key: KeyObject, domain: string, statement: object): string =>
  sign(null, Buffer.from(`${domain}\n${canonicalize(statement)}`), key).toString('base64url');

/** RFC 7638. */
const thumbprint = ({ crv, kty, x }: JsonWebKey): string =>
  createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');

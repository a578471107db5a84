import {
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import canonicalize from 'canonicalize';
import jsQR from 'jsqr';
import { PNG } from 'pngjs';
import { TOTP } from 'totp-generator';
import type { Reply } from './navbat.ts';

/** What a phone keeps of a session. */
export interface PhoneSession {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly session_id: string;
  readonly sub: string;
}

type Curve = 'Ed25519' | 'P-256';
type Domain = 'navbat-approval-v1' | 'navbat-device-v1' | 'navbat-sign-in-v1';

/**
 * A phone with Navbat's app, in its own words: none of the server's code is used, so that both sides must have read the same
 * specifications (RFC 6238, 7517, 7638, 8032, 8785, FIPS 186-5).
 */
export function testPhone(apiUrl: string | (() => string), curve: Curve = 'Ed25519') {
  const keys =
    curve === 'Ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return new TestPhone(
    typeof apiUrl === 'string' ? () => apiUrl : apiUrl,
    keys.privateKey,
    keys.publicKey.export({ format: 'jwk' }),
  );
}

export class TestPhone {
  readonly publicKey: JsonWebKey;
  /** Where it calls: processes come and go behind a name. */
  readonly #apiUrl: () => string;
  readonly #privateKey: KeyObject;
  #pending: { id: string; nonce: string } | null = null;
  /** Base32. */
  #secret = '';
  #session: PhoneSession | null = null;
  #id = '';

  constructor(apiUrl: () => string, privateKey: KeyObject, publicKey: JsonWebKey) {
    this.#apiUrl = apiUrl;
    this.#privateKey = privateKey;
    this.publicKey = publicKey;
  }

  get id(): string {
    return this.#id;
  }

  get session(): PhoneSession {
    if (!this.#session) throw new Error('this phone is not signed in');
    return this.#session;
  }

  get secret(): string {
    return this.#secret;
  }

  /** RFC 7638: the members that make the key, in the order of their names. */
  get thumbprint(): string {
    const { crv, kty, x, y } = this.publicKey;
    const members = y === undefined ? { crv, kty, x } : { crv, kty, x, y };
    return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  }

  /** With the token that it read from a QR code, or `token` itself. */
  async claim(
    from: { readonly png: string } | { readonly token: string },
    more: object = {},
  ): Promise<Reply> {
    const reply = await this.fetch('POST', '/devices', {
      token: 'png' in from ? tokenIn(scanQr(from.png)) : from.token,
      name: 'Test phone',
      platform: 'android 16',
      public_key: this.publicKey,
      ...more,
    });
    if (reply.status === 201) {
      this.#pending = { id: reply.body.id, nonce: reply.body.nonce };
      this.#id = reply.body.id;
      this.#secret = reply.body.totp.secret;
    }
    return reply;
  }

  /** `more` may name the phone's code, or spoil what an honest phone sends. */
  async confirm(more: object = {}): Promise<Reply> {
    if (!this.#pending) throw new Error('this phone has claimed nothing');
    const { id, nonce } = this.#pending;
    const reply = await this.fetch('POST', `/devices/${id}/confirm`, {
      signature: this.sign('navbat-device-v1', { device: id, nonce, public_key: this.thumbprint }),
      totp: await this.totp(),
      ...more,
    });
    if (reply.status === 200) this.#session = reply.body.session;
    return reply;
  }

  /** The code of now, or of some steps later: a step that was used is not taken again. */
  totp(stepsAhead = 0): Promise<string> {
    return totpOf(this.#secret, stepsAhead);
  }

  sign(domain: Domain, statement: object): string {
    const bytes = Buffer.from(`${domain}\n${canonicalize(statement)}`);
    const key = this.#privateKey;
    return (
      this.publicKey.crv === 'Ed25519'
        ? sign(null, bytes, key)
        : sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
    ).toString('base64url');
  }

  /** In its session. */
  call(method: string, path: string, body?: unknown): Promise<Reply> {
    return this.fetch(method, path, body, { Authorization: `Bearer ${this.session.access_token}` });
  }

  /** Takes a session over that somebody else opened for it. */
  signedIn(session: PhoneSession): void {
    this.#session = session;
  }

  /** With its key: a new session, whose proof is fresh. */
  async signIn(more: object = {}): Promise<Reply> {
    const claim = { at: new Date().toISOString(), nonce: randomBytes(16).toString('base64url') };
    const reply = await this.fetch('POST', '/auth/device', {
      device_id: this.#id,
      ...claim,
      signature: this.sign('navbat-sign-in-v1', { device: this.#id, ...claim }),
      ...more,
    });
    if (reply.status === 200) this.#session = reply.body;
    return reply;
  }

  async refresh(): Promise<Reply> {
    const reply = await this.fetch('POST', '/auth/refresh', { refresh_token: this.session.refresh_token });
    if (reply.status === 200) this.#session = reply.body;
    return reply;
  }

  /** Fetches a new secret and takes it into use. */
  async rotate(): Promise<Reply> {
    const offered = await this.call('POST', `/me/devices/${this.#id}/rotate`, {});
    if (offered.status !== 201) return offered;
    const secret: string = offered.body.totp.secret;
    const taken = await this.call('POST', `/me/devices/${this.#id}/rotate/confirm`, {
      totp: await totpOf(secret),
    });
    if (taken.status === 204) this.#secret = secret;
    return taken;
  }

  fetch(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return send(this.#apiUrl() + path, method, body, headers);
  }
}

const STEP_MS = 30_000;

/** By an implementation that is not the server's. */
export async function totpOf(secret: string, stepsAhead = 0): Promise<string> {
  const { otp } = await TOTP.generate(secret, {
    timestamp: Date.now() + stepsAhead * STEP_MS,
    // Or one code in twenty thousand comes short of a digit.
    explicitZeroPad: true,
  });
  return otp;
}

/** What a camera reads from a QR code: base64 of a PNG. */
export function scanQr(png: string): string {
  const { data, width, height } = PNG.sync.read(Buffer.from(png, 'base64'));
  const code = readQr(new Uint8ClampedArray(data), width, height);
  if (!code) throw new Error('there is no QR code in this picture');
  return code.data;
}

/** The package is CommonJS, whose function Node and TypeScript find in two places. */
const readQr = (typeof jsQR === 'function'
  ? jsQR
  : (jsQR as unknown as { default: unknown }).default) as unknown as (
  data: Uint8ClampedArray,
  width: number,
  height: number,
) => { readonly data: string } | null;

function tokenIn(link: string): string {
  const token = /^navbat:\/\/enrol\?token=([\w-]+)$/.exec(link)?.[1];
  if (token === undefined) throw new Error(`not a link of Navbat's app: ${link}`);
  return token;
}

/** Enough of HTTP for an app. */
export async function send(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

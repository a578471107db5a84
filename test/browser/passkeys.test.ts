import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../infra/embedded/port.ts';
import { type Member, openBoard, type OpenBoard, PASSWORD } from '../apps/board/open-board.ts';
import { openChromium } from './chromium.ts';

/** `navigator.credentials` of a real browser, with an authenticator of its own, against the routes as they are. */

const STEP_MS = 30_000;

let board: OpenBoard;
let browser: Browser;
let page: Page;
let devtools: CDPSession;
let member: Member;
beforeAll(async () => {
  const port = await freePort();
  // An address can be no relying party, so that the browser must come by a name.
  const origin = `http://localhost:${port}`;
  board = await openBoard({ port, env: { STAFF_ORIGIN: origin } });
  member = await board.createMember('finance');
  browser = await openChromium();
  page = await browser.newPage();
  devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  // The login's own page may fetch nothing; the console of finance comes later.
  await page.goto(`${origin}/staff/docs`);
});
afterAll(async () => {
  await browser?.close();
  await board?.close();
});

interface Told {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read what they expect, and fail where it is not.
  readonly body: any;
}

/** As a script of the page. */
const call = (method: string, path: string, token: string | null, body?: unknown): Promise<Told> =>
  page.evaluate(
    async ([verb, to, bearer, given]) => {
      const answer = await fetch(String(to), {
        method: String(verb),
        headers: {
          'Content-Type': 'application/json',
          ...(bearer ? { Authorization: `Bearer ${String(bearer)}` } : {}),
        },
        ...(given === undefined ? {} : { body: JSON.stringify(given) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text ? JSON.parse(text) : null };
    },
    [method, path, token, body] as const,
  );
const done = async (...asked: Parameters<typeof call>) => {
  const { status, body } = await call(...asked);
  if (status >= 300) throw new Error(`${asked[1]} answered ${status}: ${JSON.stringify(body)}`);
  return body;
};

/** What this test uses of a page: the tree is not compiled for browsers. */
interface Web {
  readonly PublicKeyCredential: {
    parseCreationOptionsFromJSON(options: unknown): unknown;
    parseRequestOptionsFromJSON(options: unknown): unknown;
  };
  readonly navigator: {
    readonly credentials: Record<'create' | 'get', (asked: object) => Promise<Credential>>;
  };
}
interface Credential {
  readonly response: { readonly attestationObject: ArrayBuffer };
  toJSON(): unknown;
}

/** The credential in the JSON of WebAuthn, with SHA-256 of what it attests. */
const create = (options: unknown): Promise<{ registration: unknown; hash: string }> =>
  page.evaluate(async (given) => {
    const web = globalThis as unknown as Web;
    const publicKey = web.PublicKeyCredential.parseCreationOptionsFromJSON(given);
    const made = await web.navigator.credentials.create({ publicKey });
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', made.response.attestationObject));
    const hash = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return { registration: made.toJSON(), hash };
  }, options);
const get = (options: unknown): Promise<unknown> =>
  page.evaluate(async (given) => {
    const web = globalThis as unknown as Web;
    const publicKey = web.PublicKeyCredential.parseRequestOptionsFromJSON(given);
    return (await web.navigator.credentials.get({ publicKey })).toJSON();
  }, options);

const nextCode = () => {
  board.time.now = new Date(board.time.now.getTime() + STEP_MS);
  return member.app.codeAt(board.time.now);
};
const passwordShown = async (): Promise<string> =>
  (await done('POST', '/staff/sessions', null, { email: member.email, password: PASSWORD })).token;

test('a browser registers a passkey, logs in with it, and approves with it', async () => {
  const first = await passwordShown();
  const code = await nextCode();
  const { token } = await done('POST', '/staff/sessions/second-factor', first, { code });

  const { options } = await done('POST', '/staff/passkeys/options', token, {});
  const { registration, hash } = await create(options);
  const registering = { action: 'passkey.register', subject: member.id, version: 0, hash };
  const byCode = await done('POST', '/staff/proofs', token, { code: await nextCode(), binds: registering });
  const passkey = await done('POST', '/staff/passkeys', token, {
    name: 'This browser',
    registration,
    proof_id: byCode.id,
  });
  expect(passkey).toMatchObject({ name: 'This browser', version: 1 });

  const pending = await passwordShown();
  const login = await done('POST', '/staff/sessions/second-factor/options', pending, {});
  const whole = await done('POST', '/staff/sessions/second-factor', pending, {
    passkey: await get(login.options),
  });
  expect(whole.staff).toMatchObject({ id: member.id, role: 'finance' });

  const binds = { action: 'passkey.remove', subject: passkey.id, version: 1 };
  const asked = await done('POST', '/staff/proofs/options', whole.token, { binds });
  const other = { ...binds, version: 2 };
  const signed = await get(asked.options);
  const refused = await call('POST', '/staff/proofs', whole.token, { passkey: signed, binds: other });
  expect(refused).toMatchObject({ status: 403, body: { type: 'urn:navbat:problem:passkey-refused' } });
  const again = await done('POST', '/staff/proofs/options', whole.token, { binds });
  const proof = await done('POST', '/staff/proofs', whole.token, {
    passkey: await get(again.options),
    binds,
  });
  expect(proof).toMatchObject({ by: 'passkey', binds });
  await done('POST', `/staff/passkeys/${passkey.id}/remove`, whole.token, { proof_id: proof.id });
});

test('a user whom the authenticator did not verify registers nothing', async () => {
  const pending = await passwordShown();
  const { token } = await done('POST', '/staff/sessions/second-factor', pending, { code: await nextCode() });
  await devtools.send('WebAuthn.disable');
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'usb',
      hasUserVerification: false,
      automaticPresenceSimulation: true,
    },
  });
  const { options } = await done('POST', '/staff/passkeys/options', token, {});
  // The browser itself asks for it; one that did not is refused by the signature's flags.
  const relaxed = { ...options, authenticatorSelection: { userVerification: 'discouraged' } };
  const { registration, hash } = await create(relaxed);
  const binds = { action: 'passkey.register', subject: member.id, version: 0, hash };
  const { id } = await done('POST', '/staff/proofs', token, { code: await nextCode(), binds });
  const refused = await call('POST', '/staff/passkeys', token, { name: 'A key', registration, proof_id: id });
  expect(refused).toMatchObject({ status: 403, body: { type: 'urn:navbat:problem:passkey-refused' } });
});

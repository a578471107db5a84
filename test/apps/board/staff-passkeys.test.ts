import supertest from 'supertest';
import { describe, expect, test } from 'vitest';
import { registrationBinds, removalBinds } from '../../../domain/staff/passkey.ts';
import type { ProofBinds } from '../../../domain/staff/proof.ts';
import { LOGINS_PER_MINUTE } from '../../../domain/staff/login-limits.ts';
import { attestationHash, type SoftwarePasskey, softwarePasskey } from '../../support/passkey.ts';
import { openLogin } from './log-in.ts';
import { type Member, PASSWORD } from './open-board.ts';

const { board, newAddress } = await openLogin();
const ORIGIN = 'http://localhost:3001';
const STEP_MS = 30_000;

const ask = (method: 'get' | 'post' | 'patch', path: string, token?: string, from = newAddress()) =>
  supertest(board.url)
    [method](path)
    .set({ 'X-Forwarded-For': from, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) });
const post = (path: string, token: string, body: object, from?: string) =>
  ask('post', path, token, from).send(body);
const half = async ({ email }: Pick<Member, 'email'>) =>
  (await ask('post', '/staff/sessions').send({ email, password: PASSWORD }).expect(201)).body.token as string;
/** A code of a step of its own: the clock goes on. */
const nextCode = ({ app }: Member) => {
  board.time.now = new Date(board.time.now.getTime() + STEP_MS);
  return app.codeAt(board.time.now);
};

interface Holder extends Member {
  readonly bearer: string;
}

async function newHolder(role: 'finance' | 'viewer' = 'finance'): Promise<Holder> {
  const member = await board.createMember(role);
  const code = await nextCode(member);
  const whole = await post('/staff/sessions/second-factor', await half(member), { code }).expect(201);
  return { ...member, bearer: whole.body.token };
}
const proofOf = async (holder: Holder, binds: ProofBinds) =>
  (await post('/staff/proofs', holder.bearer, { code: await nextCode(holder), binds }).expect(201)).body
    .id as string;
async function addPasskey(holder: Holder, key: SoftwarePasskey = softwarePasskey(ORIGIN)) {
  const { options } = (await post('/staff/passkeys/options', holder.bearer, {}).expect(200)).body;
  const registration = key.register(options);
  const proof_id = await proofOf(holder, registrationBinds(holder.id, attestationHash(registration)));
  const wish = { name: ' Phone ', registration, proof_id };
  return { key, passkey: (await post('/staff/passkeys', holder.bearer, wish).expect(201)).body, wish };
}
const typeOf = (answer: supertest.Response): string => String(answer.body.type).split(':').at(-1) ?? '';

describe('a passkey over HTTP', () => {
  test('is registered by a proof, named, listed, and renamed', async () => {
    const holder = await newHolder();
    const { passkey, wish } = await addPasskey(holder);
    expect(passkey).toMatchObject({ name: 'Phone', version: 1, last_used_at: null });
    // Its challenge is answered, whatever the proof.
    expect(typeOf(await post('/staff/passkeys', holder.bearer, wish).expect(403))).toBe('passkey-refused');
    const renamed = await ask('patch', `/staff/passkeys/${passkey.id}`, holder.bearer)
      .send({ name: 'The blue one' })
      .expect(200);
    expect(renamed.body).toMatchObject({ name: 'The blue one', version: 2 });
    const { body } = await ask('get', '/staff/passkeys', holder.bearer).expect(200);
    expect(body).toEqual({ data: [renamed.body], next_cursor: null });
    await ask('patch', `/staff/passkeys/${passkey.id}`, (await newHolder()).bearer)
      .send({ name: 'mine' })
      .expect(404);
  });

  test('logs in after the password, and the pending token ends', async () => {
    const holder = await newHolder();
    const { key } = await addPasskey(holder);
    const pending = await half(holder);
    const { options } = (await post('/staff/sessions/second-factor/options', pending, {}).expect(200)).body;
    const passkey = key.assert(options);
    const whole = await post('/staff/sessions/second-factor', pending, { passkey }).expect(201);
    expect(whole.body).toMatchObject({
      token_type: 'Bearer',
      staff: { id: holder.id },
      recovery_codes_left: 10,
    });
    await ask('get', '/staff/passkeys', whole.body.token).expect(200);
    await post('/staff/sessions/second-factor', pending, { passkey }).expect(401);
    const again = await half(holder);
    const replayed = await post('/staff/sessions/second-factor', again, { passkey }).expect(401);
    expect(typeOf(replayed)).toBe('passkey-refused');
  });

  test('of somebody without one asks nothing', async () => {
    const holder = await newHolder();
    const binds: ProofBinds = { action: 'batch.approve', subject: 'batch-1', version: 1 };
    expect(typeOf(await post('/staff/proofs/options', holder.bearer, { binds }).expect(409))).toBe(
      'no-passkey',
    );
    const login = await post('/staff/sessions/second-factor/options', await half(holder), {}).expect(409);
    expect(typeOf(login)).toBe('no-passkey');
  });

  test('is removed by a proof that it may make itself, and opens nothing from then on', async () => {
    const holder = await newHolder();
    const { key, passkey } = await addPasskey(holder);
    const binds = removalBinds(passkey);
    const { options } = (await post('/staff/proofs/options', holder.bearer, { binds }).expect(200)).body;
    const proof = await post('/staff/proofs', holder.bearer, { passkey: key.assert(options), binds }).expect(
      201,
    );
    expect(proof.body).toMatchObject({ by: 'passkey', binds });
    const path = `/staff/passkeys/${passkey.id}/remove`;
    await post(path, holder.bearer, { proof_id: proof.body.id }).expect(204);
    await post(path, holder.bearer, { proof_id: proof.body.id }).expect(404);
    const rename = ask('patch', `/staff/passkeys/${passkey.id}`, holder.bearer);
    await rename.send({ name: 'Gone' }).expect(404);
    expect((await ask('get', '/staff/passkeys', holder.bearer).expect(200)).body.data).toEqual([]);
    await post('/staff/sessions/second-factor/options', await half(holder), {}).expect(409);
  });

  test('leaves a row in the audit for each step', async () => {
    const holder = await newHolder();
    const { passkey } = await addPasskey(holder);
    const proof_id = await proofOf(holder, removalBinds(passkey));
    await post(`/staff/passkeys/${passkey.id}/remove`, holder.bearer, { proof_id }).expect(204);
    const rows = (await board.audit()).filter(({ actor }) => actor === holder.email);
    expect(rows.map(({ action }) => action)).toEqual([
      'login.password',
      'login',
      'proof.make',
      'passkey.register',
      'proof.make',
      'passkey.remove',
    ]);
    expect(rows.at(-1)?.detail).toMatchObject({ outcome: 'done', passkey: passkey.id, proof: proof_id });
    expect(rows.at(2)).toMatchObject({
      subject: holder.id,
      detail: { outcome: 'done', by: 'totp', binds: { action: 'passkey.register' } },
    });
  });
});

describe('a proof over HTTP', () => {
  const binds: ProofBinds = {
    action: 'batch.approve',
    subject: 'batch-1',
    version: 3,
    count: 2,
    total: '100',
  };

  test('lives five minutes, and says what it binds', async () => {
    const holder = await newHolder();
    const { body } = await post('/staff/proofs', holder.bearer, {
      code: await nextCode(holder),
      binds,
    }).expect(201);
    expect(body).toMatchObject({ by: 'totp', binds });
    expect(Date.parse(body.expires_at) - Date.now()).toBeGreaterThan(4 * 60_000);
  });

  test.each<[object, string, RegExp]>([
    [{ code: '123456' }, '/binds', /^is required: expected an object/],
    [{ binds }, '/code', /^expected either `code` or `passkey`$/],
    [
      { code: '123456', binds: { ...binds, action: 'eat' } },
      '/binds/action',
      // At the most twenty are named.
      /^expected one of .*"batch\.approve".*, …$/,
    ],
    [{ code: '123456', binds: { ...binds, version: undefined } }, '/binds/version', /^is required: expected/],
    [{ passkey: {}, binds }, '/passkey/id', /^is required/],
  ])('of %j is refused, and the field named', async (body, pointer, detail) => {
    const { bearer } = await newHolder();
    const { errors } = (await post('/staff/proofs', bearer, body).expect(400)).body;
    expect(errors).toContainEqual({ pointer, detail: expect.stringMatching(detail) });
    expect(errors.map((one: { pointer: string }) => one.pointer)).not.toContain('');
  });

  test('of a wrong code is refused with what to send, which is no recovery code', async () => {
    const { bearer } = await newHolder();
    for (const code of ['000000', 'abc']) {
      const { body } = await post('/staff/proofs', bearer, { code, binds }).expect(403);
      expect(body.next_step).toMatch(/^Send a code of the authenticator app/);
      expect(body.detail + body.next_step).not.toMatch(/recovery/);
    }
  });

  test('is not made of the code that logged in', async () => {
    const member = await board.createMember('finance');
    const code = await nextCode(member);
    const { body } = await post('/staff/sessions/second-factor', await half(member), { code }).expect(201);
    const refused = await post('/staff/proofs', body.token, { code, binds }).expect(403);
    expect(typeOf(refused)).toBe('second-factor-refused');
    expect(refused.body.detail).toMatch(/used already/);
  });

  test('is not made of a recovery code, which opens the next login all the same', async () => {
    const holder = await newHolder();
    const [code = ''] = holder.recoveryCodes;
    expect(typeOf(await post('/staff/proofs', holder.bearer, { code, binds }).expect(403))).toBe(
      'recovery-code-refused',
    );
    await post('/staff/sessions/second-factor', await half(holder), { code }).expect(201);
  });

  test('of what the role may not do is refused before the code is looked at', async () => {
    const viewer = await newHolder('viewer');
    const code = await nextCode(viewer);
    for (const path of ['/staff/proofs', '/staff/proofs/options'])
      expect(typeOf(await post(path, viewer.bearer, { code, binds }).expect(403))).toBe('role-forbids');
    const tried = (await board.audit()).filter(
      ({ actor, action }) => actor === viewer.email && action === binds.action,
    );
    const detail = { outcome: 'refused', reason: 'role', role: 'viewer', via: 'bearer' };
    expect(tried.map(({ subject, detail: said }) => ({ subject, detail: said }))).toEqual([
      { subject: binds.subject, detail },
      { subject: binds.subject, detail },
    ]);
    const own: ProofBinds = { action: 'passkey.remove', subject: 'x'.repeat(200), version: 1 };
    await post('/staff/proofs', viewer.bearer, { code, binds: own }).expect(201);
  });

  test.each<[string, object]>([
    ['an action that nobody has', { action: 'batch.eat' }],
    ['a subject in other letters', { subject: 'bаtch-1' }],
    ['a subject with a space', { subject: 'batch 1' }],
    ['a subject of 201 signs', { subject: 'x'.repeat(201) }],
    ['a negative version', { version: -1 }],
    ['half an item', { count: 1.5 }],
    ['a total as a number', { total: 100 }],
    ['a total with a point', { total: '100.5' }],
    ['a total with leading zeros', { total: '0100' }],
    ['a hash in capitals', { hash: 'A'.repeat(64) }],
  ])('binds no %s', async (_what, other) => {
    const holder = await newHolder();
    const wrong = { code: '123456', binds: { ...binds, ...other } };
    expect(typeOf(await post('/staff/proofs', holder.bearer, wrong).expect(400))).toBe('invalid-request');
  });

  test('is tried ten times a minute from one address, whoever asks', async () => {
    const holder = await newHolder();
    const from = newAddress();
    for (let tries = 0; tries < LOGINS_PER_MINUTE; tries += 1)
      await post('/staff/proofs', holder.bearer, { code: 'none', binds }, from).expect(403);
    await post('/staff/proofs', holder.bearer, { code: 'none', binds }, from).expect(429);
  });
});

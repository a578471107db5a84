import supertest from 'supertest';
import { afterEach, expect, test } from 'vitest';
import { registrationBinds, removalBinds } from '../../../domain/staff/passkey.ts';
import type { ProofBinds } from '../../../domain/staff/proof.ts';
import { attestationHash, softwarePasskey } from '../../support/passkey.ts';
import { authenticator } from '../../support/authenticator.ts';
import { formTokenOf, openLogin } from './log-in.ts';
import { type Member, PASSWORD } from './open-board.ts';

const { board, newAddress } = await openLogin();
const STEP_MS = 30_000;

/** A row that cannot be written stands for a process that is killed before it writes it. */
const loseAudit = () => board.owner.query('revoke insert on audit from navbat_app');
const keepAudit = () =>
  board.owner.query('grant insert (staff_id, actor, action, subject, detail) on audit to navbat_app');
afterEach(keepAudit);

const nextCode = ({ app }: Pick<Member, 'app'>) => {
  board.time.now = new Date(board.time.now.getTime() + STEP_MS);
  return app.codeAt(board.time.now);
};
const ask = (method: 'get' | 'post' | 'patch' | 'delete', path: string, bearer: string) =>
  supertest(board.url)
    [method](path)
    .set({ Authorization: `Bearer ${bearer}`, 'X-Forwarded-For': newAddress() });
const proofOf = async (holder: Member & { readonly bearer: string }, binds: ProofBinds): Promise<string> =>
  (
    await ask('post', '/staff/proofs', holder.bearer)
      .send({ code: await nextCode(holder), binds })
      .expect(201)
  ).body.id;
async function newHolder() {
  const member = await board.createMember('finance');
  return { ...member, bearer: await board.openBearer(member) };
}
const rowOf = async (sql: string, id: string) => (await board.owner.query(sql, [id])).rows;

test('a passkey that leaves no row in the audit is neither registered, renamed nor removed, and its proof is not spent', async () => {
  const holder = await newHolder();
  const passkeys = () =>
    rowOf('select name, version, removed_at from staff_passkey where staff_id = $1', holder.id);
  const used = () => rowOf('select from staff_proof where staff_id = $1 and used_at is not null', holder.id);
  const wishOf = async () => {
    const { options } = (await ask('post', '/staff/passkeys/options', holder.bearer).expect(200)).body;
    return softwarePasskey('http://localhost:3001').register(options);
  };
  const registered = async () => {
    const registration = await wishOf();
    const proof_id = await proofOf(holder, registrationBinds(holder.id, attestationHash(registration)));
    return { name: 'Phone', registration, proof_id };
  };

  const lost = await registered();
  await loseAudit();
  await ask('post', '/staff/passkeys', holder.bearer).send(lost).expect(500);
  expect([await passkeys(), await used()]).toEqual([[], []]);

  await keepAudit();
  const { id } = (
    await ask('post', '/staff/passkeys', holder.bearer)
      .send(await registered())
      .expect(201)
  ).body;
  const proof_id = await proofOf(holder, removalBinds({ id, version: 1 }));
  await loseAudit();
  await ask('patch', `/staff/passkeys/${id}`, holder.bearer).send({ name: 'Key' }).expect(500);
  await ask('post', `/staff/passkeys/${id}/remove`, holder.bearer).send({ proof_id }).expect(500);
  expect(await passkeys()).toEqual([{ name: 'Phone', version: 1, removed_at: null }]);
  expect(await used()).toHaveLength(1);
});

test('a proof that leaves none is not made, by a code or by a passkey', async () => {
  const holder = await newHolder();
  const binds: ProofBinds = { action: 'batch.approve', subject: 'batch-1', version: 1 };
  const key = softwarePasskey('http://localhost:3001');
  const { options } = (await ask('post', '/staff/passkeys/options', holder.bearer).expect(200)).body;
  const registration = key.register(options);
  const proof_id = await proofOf(holder, registrationBinds(holder.id, attestationHash(registration)));
  await ask('post', '/staff/passkeys', holder.bearer)
    .send({ name: 'Phone', registration, proof_id })
    .expect(201);
  const asked = (await ask('post', '/staff/proofs/options', holder.bearer).send({ binds }).expect(200)).body;
  await loseAudit();
  const code = await nextCode(holder);
  for (const by of [{ code }, { passkey: key.assert(asked.options) }])
    await ask('post', '/staff/proofs', holder.bearer)
      .send({ ...by, binds })
      .expect(500);
  expect(
    await rowOf(
      `select from staff_proof where staff_id = $1 and binds::jsonb->>'action' = 'batch.approve'`,
      holder.id,
    ),
  ).toEqual([]);
  // The code was not spent either.
  await keepAudit();
  await ask('post', '/staff/proofs', holder.bearer).send({ code, binds }).expect(201);
});

test('a login that leaves none gives no session, and a set-up binds nothing', async () => {
  const { id, email } = await board.createStaff('viewer');
  const half = async (who: string) =>
    (
      await supertest(board.url)
        .post('/staff/sessions')
        .set('X-Forwarded-For', newAddress())
        .send({ email: who, password: PASSWORD })
        .expect(201)
    ).body.token as string;
  const full = (staffId: string) =>
    rowOf('select from staff_session where staff_id = $1 and second_factor_at is not null', staffId);
  const member = await board.createMember('viewer');
  const before = await full(member.id);
  const [fresh, pending] = [await half(email), await half(member.email)];
  const { secret } = (await ask('post', '/staff/sessions/second-factor/set-up', fresh).expect(200)).body;
  await loseAudit();
  const setUp = await authenticator(secret).codeAt(board.time.now);
  await ask('post', '/staff/sessions/second-factor', fresh).send({ code: setUp }).expect(500);
  await ask('post', '/staff/sessions/second-factor', pending)
    .send({ code: await nextCode(member) })
    .expect(500);
  expect([await full(id), await full(member.id)]).toEqual([[], before]);
  expect(await rowOf('select totp_bound_at from staff where id = $1', id)).toEqual([{ totp_bound_at: null }]);
});

test('new recovery codes that leave none do not replace the old ones, and no session ends', async () => {
  const member = await newHolder();
  const cookie = `navbat_staff=${member.token}`;
  const codes = () =>
    rowOf('select code_hash from staff_recovery_code where staff_id = $1 order by 1', member.id);
  const before = await codes();
  const page = await supertest(board.url).get('/account').set('Cookie', cookie);
  const form = (path: string, fields: object) =>
    supertest(board.url)
      .post(path)
      .set('Cookie', cookie)
      .set('Origin', board.url)
      .type('form')
      .send({ token: formTokenOf(page), ...fields });
  await loseAudit();
  await form('/account/recovery-codes', { code: await nextCode(member) }).expect(500);
  expect(await codes()).toEqual(before);
  await form('/logout', {}).expect(500);
  await ask('delete', '/staff/sessions/current', member.bearer).expect(500);
  await supertest(board.url).get('/account').set('Cookie', cookie).expect(200);
  await ask('get', '/staff/sessions', member.bearer).expect(200);
});

test('a chat whose opening leaves none stays closed', async () => {
  await board.owner.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at) values (-100124, 'bot-kicked', now())`,
  );
  const operator = await board.session('operator');
  const open = () => operator.postJson('/ops/chats/-100124/open', { why: 'a test' });
  await loseAudit();
  await open().expect(500);
  expect(await rowOf('select unreachable from telegram_chat where chat_id = $1', '-100124')).toEqual([
    { unreachable: 'bot-kicked' },
  ]);
});

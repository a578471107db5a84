import { createHash, randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { reconcileRoutes } from '../../../../apps/board/pay/reconcile.routes.ts';
import type { BankDocument } from '../../../../domain/pay/bank-file/file.ts';
import { ordersFile } from '../../../../domain/pay/bank-file/orders.ts';
import { writeBankFile } from '../../../../domain/pay/bank-file/write.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { StaffRole } from '../../../../domain/staff/role.ts';
import { bankFileBytes, bankFileText } from '../../../../infra/pay/bank-file-bytes.ts';
import { bankFiles } from '../../../../infra/postgres/pay/bank-file/store.ts';
import { sha256 } from '../../../../infra/process/crypto.ts';
import { bankFile, document } from '../../../domain/pay/bank-file/file.ts';
import { openRailWorld } from '../../../infra/postgres/pay/reconcile/rail-world.ts';
import { openBoard, type OpenBoard } from '../open-board.ts';

const OURS = '20208000900123456001';
const PAYER = { account: OURS, name: 'OOO Navbat', taxId: '301234567', bankCode: '00444' };

let board: OpenBoard;
let tokens: Record<StaffRole, string>;
beforeAll(async () => {
  board = await openBoard({
    env: {
      NAVBAT_PRODUCTS: 'verify,message,pay',
      MONEY_PROJECT: PLATFORM_PROJECT_ID,
      BANK_FILE_PAYER: `00444:${OURS}:301234567:OOO Navbat`,
    },
  });
  const roles = ['admin', 'operator', 'finance', 'developer', 'viewer'] as const;
  const opened = await Promise.all(
    roles.map(async (role) => [role, await board.openBearer(await board.createMember(role))] as const),
  );
  tokens = Object.fromEntries(opened) as typeof tokens;
});
afterAll(() => board.close());

const get = (path: string, role: StaffRole = 'finance') =>
  supertest(board.url).get(path).set('Authorization', `Bearer ${tokens[role]}`);
const post = (path: string, body?: object, role: StaffRole = 'finance') =>
  supertest(board.url).post(path).set('Authorization', `Bearer ${tokens[role]}`).send(body);
const upload = (bytes: Buffer, query = '', role: StaffRole = 'finance') =>
  supertest(board.url)
    .post(`/finance/statements${query}`)
    .set('Authorization', `Bearer ${tokens[role]}`)
    .set('Content-Type', 'application/octet-stream')
    .send(bytes);

/** A statement of these documents, whose totals are right. */
function statement(...documents: BankDocument[]): Buffer {
  const spent = documents.reduce((total, { amount }) => total + amount, 0n);
  const totals = { opening: 10n ** 12n, received: 0n, spent, closing: 10n ** 12n - spent };
  return bankFileBytes(writeBankFile(bankFile({ account: OURS, totals, documents })), 'Windows');
}
/** Of nobody's, each by another number. */
const stray = (amount = 123_456n) =>
  document({ number: randomUUID().slice(0, 8), amount, purpose: 'комиссия банка', payer: { ...PAYER } });

describe('a statement', () => {
  test('of which a payment changes while it is read is 409 to be sent again, and leaves nothing', async () => {
    await board.owner.query(`create function changes_meanwhile() returns trigger language plpgsql as $$ begin
        raise exception 'a line is not of the payment that it is matched with' using errcode = 'NB024'; end $$;
      create trigger changes_meanwhile before insert on statement_line for each row execute function changes_meanwhile()`);
    const answer = await upload(statement(stray()));
    await board.owner.query('drop function changes_meanwhile() cascade');
    expect([answer.status, answer.body.type]).toEqual([409, 'urn:navbat:problem:in-progress']);
    expect((await get('/finance/statements?rail=bank-file').expect(200)).body.data).toEqual([]);
  });

  test('is rehearsed and then taken, once, in the name of who sent it; what fits nowhere is a difference', async () => {
    const bytes = statement(stray(), stray());
    const rehearsed = (await upload(bytes, '?dry_run=true').expect(200)).body;
    const buckets = [{ bucket: 'only-theirs', lines: 2, total: '246912' }];
    expect(rehearsed).toMatchObject({ statement_id: null, dry_run: true, changed: 2, buckets });
    expect((await get('/finance/differences?open=true').expect(200)).body.data).toEqual([]);
    const { body } = await upload(bytes).expect(200);
    expect(body).toMatchObject({ dry_run: false, repeated: false, changed: 2, buckets, stopped: [] });
    expect(body.odd).toEqual(rehearsed.odd);
    expect(body.odd[0]).toMatchObject({ says: expect.stringContaining('комиссия банка'), payout_id: null });
    expect((await upload(bytes).expect(200)).body).toMatchObject({ repeated: true, changed: 0, buckets });
    const { data } = (await get('/finance/statements?rail=bank-file').expect(200)).body;
    expect(data).toMatchObject([
      {
        id: body.statement_id,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        from: '2026-11-28T19:00:00.000Z',
        to: '2026-11-29T19:00:00.000Z',
        buckets,
      },
    ]);
    expect((await get('/finance/differences?open=true&bucket=only-theirs')).body.data).toHaveLength(2);
  });

  test.each<[string, () => Buffer, string]>([
    ['that is cut off', () => statement(stray()).subarray(0, -12), 'truncated'],
    [
      'of another account',
      () =>
        bankFileBytes(
          writeBankFile(
            bankFile({
              account: '20208000900123456009',
              totals: { opening: 0n, received: 0n, spent: 0n, closing: 0n },
              documents: [],
            }),
          ),
          'Windows',
        ),
      'expected the account that pays',
    ],
    [
      'of orders',
      () => bankFileBytes(writeBankFile(ordersFile(PAYER, '2026-11-29', [])), 'Windows'),
      'these are orders',
    ],
    ['of a day to come', () => statement({ ...stray(), day: '2039-01-01' }), 'has not come'],
    ['in another encoding', () => Buffer.from(writeBankFile(bankFile())), 'wrong-encoding'],
  ])('%s is refused by its line, and nothing is taken', async (_, make, fault) => {
    const before = (await get('/finance/statements')).body.data.length;
    const { body } = await upload(make()).expect(422);
    expect(body.type).toMatch(/statement-damaged$/);
    expect(body.errors[0]).toEqual({
      pointer: expect.stringMatching(/^line \d+$/),
      detail: expect.stringContaining(fault),
    });
    expect((await get('/finance/statements')).body.data).toHaveLength(before);
  });

  test('is taken from makers alone, as a file, of the rail that has files', async () => {
    const bytes = statement(stray());
    for (const role of ['admin', 'operator', 'developer', 'viewer'] as const)
      await upload(bytes, '?dry_run=true', role).expect(403);
    await upload(bytes, '?rail=multicard').expect(400);
    await post('/finance/statements', {}).expect(415);
  });
});

test('a difference gets an owner, a reason and an end', async () => {
  await upload(statement(stray(777n))).expect(200);
  const [{ id, amount, owner }] = (await get('/finance/differences?open=true')).body.data;
  expect({ amount, owner }).toEqual({ amount: '777', owner: null });
  const of = (act: string) => `/finance/differences/${id}/${act}`;
  expect((await post(of('own')).expect(200)).body.owner).toEqual(expect.any(String));
  expect((await post(of('close'), {}).expect(409)).body.type).toMatch(/difference-unexplained$/);
  for (const note of ['', 'two\nlines', 'card 8600 1234 5678 9004'])
    await post(of('note'), { note }).expect(400);
  expect((await post(of('note'), { note: 'a charge of the bank' }).expect(200)).body).toMatchObject({
    note: 'a charge of the bank',
    closed_at: null,
  });
  expect((await post(of('close'), {}, 'admin').expect(200)).body).toMatchObject({
    closed_at: expect.any(String),
    closed_by: expect.any(String),
  });
  expect((await post(of('close'), {}).expect(409)).body.type).toMatch(/difference-closed$/);
  await post(of('own'), undefined, 'viewer').expect(403);
  await post(`/finance/differences/${randomUUID()}/own`).expect(404);
});

test('the equation of now is shown to the tiyin', async () => {
  const { body } = await get('/finance/equation').expect(200);
  expect(body).toMatchObject({ held: '0', open: '0', holds: true });
  expect(body.rails).toContainEqual({
    rail: 'multicard',
    wallet_opened: false,
    wallet_expected: '0',
    wallet: '0',
    clearing: '0',
    unmatched: '0',
    unposted: '0',
    in_flight: [],
    holds: true,
  });
  const bank = body.rails.find(({ rail }: { rail: string }) => rail === 'bank-file');
  expect(BigInt(bank.unposted)).toBe(246_912n + 777n);
  await get('/finance/equation', 'operator').expect(403);
});

test('there is no file of a batch that was not run', async () => {
  await get(`/finance/batches/${randomUUID()}/file`).expect(404);
  await get(`/finance/batches/${randomUUID()}/file?part=21`).expect(400);
  await get(`/finance/batches/${randomUUID()}/file`, 'admin').expect(403);
});

test('the file of a batch comes byte by byte as it was written, each time', async () => {
  const world = await openRailWorld();
  const files = bankFiles(world.pool, world.projectId, world.rowEncryption);
  const account = null;
  const routes = reconcileRoutes({ ...world, files, decode: bankFileText, sha256, account });
  const door = await openBoard({ routes });
  onTestFinished(async () => {
    await Promise.all([door.close(), world.close()]);
  });
  const token = await door.openBearer(await door.createMember('finance'));
  const { id } = await world.bankBatch(2);
  await files.write(id, (orders) =>
    bankFileBytes(writeBankFile(ordersFile(PAYER, '2026-11-29', orders)), 'Windows'),
  );
  const kept = await files.read(id, 1);
  for (let times = 0; times < 2; times += 1) {
    const answer = await supertest(door.url)
      .get(`/finance/batches/${id}/file`)
      .set('Authorization', `Bearer ${token}`)
      .expect(200);
    expect(kept?.bytes.equals(answer.body as Buffer)).toBe(true);
    expect(answer.headers['content-disposition']).toContain('1-of-1.txt');
  }
});

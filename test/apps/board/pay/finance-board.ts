import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { StaffRole } from '../../../../domain/staff/role.ts';
import { bookOf } from '../../../infra/postgres/pay/posting.ts';
import { type Member, openBoard } from '../open-board.ts';

const MICROS_OF_TIYIN = 10_000n;
const DAY_MS = 86_400_000;

export type FinanceBoard = Awaited<ReturnType<typeof openFinanceBoard>>;
export type Finance = Awaited<ReturnType<FinanceBoard['member']>>;

/** A board with pay, people who have money and cards, and members of staff old enough to approve. */
export async function openFinanceBoard() {
  const board = await openBoard({
    // Each request from an address of its own, so that no limit of logins is met.
    proxies: 1,
    env: { NAVBAT_PRODUCTS: 'verify,message,pay', MONEY_PROJECT: PLATFORM_PROJECT_ID },
  });
  const { owner, pool, url } = board;
  const book = bookOf(owner, PLATFORM_PROJECT_ID);
  const earnings = await book.open('earnings');
  let people = 900_000_000;

  /** With so many tiyin, and a card that was bound so many days ago. */
  const person = async (tiyin: bigint, { days = 30, holder = randomBytes(32) as Buffer } = {}) => {
    const id = randomUUID();
    await pool.query('insert into person (id, created_at) values ($1, $2)', [id, new Date()]);
    const phone = `+998${(people += 1)}`;
    await pool.query(
      `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', $4)`,
      [randomBytes(32), id, phone, new Date()],
    );
    const account = await book.open('available', id);
    if (tiyin > 0n)
      await book.post([
        {
          key: `earn:${id}`,
          kind: 'earn',
          debit: earnings,
          credit: account,
          amount: tiyin * MICROS_OF_TIYIN,
        },
      ]);
    const { rows } = await owner.query<{ id: string }>(
      `insert into payout_destination (project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       values ($1, $2, 'multicard', 'x', $3, '1234', $4::timestamptz + interval '1 day', $4) returning id`,
      [PLATFORM_PROJECT_ID, id, holder, new Date(Date.now() - days * DAY_MS)],
    );
    return { id, phone, account, card: rows[0]?.id ?? '' };
  };

  /** A withdrawal that finance may pay. */
  const pending = async (tiyin = 2_000_000n, how?: Parameters<typeof person>[1]): Promise<string> => {
    const { id, card } = await person(tiyin, how);
    const { rows } = await pool.query<{ id: string }>(
      `select id from payout_ask($1, 'withdrawal', null, $2, null, null, null, null, $3, 'multicard', $4, 0, 'person')`,
      [PLATFORM_PROJECT_ID, id, card, tiyin],
    );
    return rows[0]?.id ?? '';
  };

  /** A project has paid in so many tiyin. */
  const fund = async (funder: string, tiyin: bigint): Promise<void> => {
    await book.post([
      {
        key: `top-up:${funder}`,
        kind: 'top-up',
        debit: await book.open('bank'),
        credit: await book.open('funded', funder),
        amount: tiyin * MICROS_OF_TIYIN,
      },
    ]);
  };

  /** What a project pays a person of ours, whom it names by their phone. */
  const owed = async (
    tiyin: bigint,
    {
      asker = `key:${randomUUID()}`,
      funder = randomUUID(),
      ...how
    }: Parameters<typeof person>[1] & { asker?: string; funder?: string } = {},
  ): Promise<string> => {
    const { id, phone, card } = await person(0n, how);
    await fund(funder, tiyin);
    const { rows } = await pool.query<{ id: string }>(
      `select id from payout_ask($1, 'api', $2, $3, $4, null, null, 'invoice', $5, 'multicard', $6, 0, $7)`,
      [PLATFORM_PROJECT_ID, funder, id, phone, card, tiyin, asker],
    );
    return rows[0]?.id ?? '';
  };

  /** @param hours how long ago account and second factor were made. */
  const member = async (role: StaffRole = 'finance', hours = 48) => {
    const made = await board.createMember(role);
    await owner.query(
      `update staff set created_at = created_at - $2 * interval '1 hour', totp_bound_at = totp_bound_at - $2 * interval '1 hour' where id = $1`,
      [made.id, hours],
    );
    const token = await board.openBearer(made);
    const call = (method: 'get' | 'post' | 'delete', path: string, version?: number) => {
      const asked = supertest(url)
        [method](path)
        .set('Authorization', `Bearer ${token}`)
        .set('X-Forwarded-For', `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`);
      return version === undefined ? asked : asked.set('If-Match', `"${version}"`);
    };
    return {
      ...made,
      token,
      get: (path: string) => call('get', path),
      post: (path: string, body: object = {}, version?: number) => call('post', path, version).send(body),
      drop: (path: string, version: number) => call('delete', path, version),
      /** A second factor for exactly this. */
      prove: (binds: object) => prove(made, call('post', '/staff/proofs'), binds),
    };
  };

  const prove = async ({ app }: Member, asked: supertest.Test, binds: object): Promise<string> => {
    // Each code is good once: the next one is of a later step.
    board.time.now = new Date(board.time.now.getTime() + 30_000);
    const answer = await asked.send({ code: await app.freshCode(board.time.now), binds });
    if (answer.status !== 201) throw new Error(`no proof: ${answer.status} ${answer.text}`);
    return answer.body.id;
  };

  return { ...board, book, person, pending, fund, owed, member };
}

interface BatchAnswer {
  readonly id: string;
  readonly version: number;
  readonly content_hash: string;
  readonly count: number;
  readonly total: string;
}

/** What a proof of an approval binds. */
export const bindsOf = ({ id, version, content_hash: hash, count, total }: BatchAnswer) => ({
  action: 'batch.approve',
  subject: id,
  version,
  hash,
  count,
  total,
});
export const approvalOf = ({ content_hash: hash, count, total }: BatchAnswer, proofId: string) => ({
  hash,
  count,
  total,
  proof_id: proofId,
});

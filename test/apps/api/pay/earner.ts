import { randomBytes, randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { recipientOf } from '../../../rules/policy/objects.ts';
import { openSession } from '../../../rules/policy/person-objects.ts';
import { makePerson, type Owner, type World } from '../../../rules/policy/world.ts';
import { type Navbat, startNavbat } from '../../../support/navbat.ts';
import { testPhone } from '../../../support/phone.ts';
import { bookOf } from '../../../infra/postgres/pay/posting.ts';

const MICROS_OF_TIYIN = 10_000n;

/** An api, and a worker where devices are asked, with people who earn in Navbat's own project. */
export async function openEarners(
  processes: readonly ('api' | 'worker')[] = ['api'],
  env: Readonly<Record<string, string>> = {},
) {
  const navbat = await startNavbat({
    processes,
    env: { NAVBAT_PRODUCTS: 'verify,message,pay', MONEY_PROJECT: PLATFORM_PROJECT_ID, ...env },
  });
  const world = { ...navbat, hash: keyedHash(navbat.env['PEPPER'] ?? '') } as unknown as World;
  const book = bookOf(navbat.db, PLATFORM_PROJECT_ID);
  return { navbat, book, earner: (tiyin?: bigint) => makeEarner(navbat, world, tiyin) };
}

interface Challenge {
  readonly id: string;
  readonly project: unknown;
  readonly purpose: string;
  readonly context: { readonly payment: unknown };
  readonly expires_at: string;
}

interface Asked {
  readonly key?: string | undefined;
  readonly body?: object | undefined;
}

/** With so many tiyin, a card of last week, and a session that is fresh. */
async function makeEarner(navbat: Navbat, world: World, tiyin = 10_000_000n) {
  const { db, apiUrl } = navbat;
  const personId = await makePerson(world, 'live');
  const owner: Owner = { projectId: PLATFORM_PROJECT_ID, mode: 'live', personId };
  const recipient = await recipientOf(world, owner);
  await db.query(
    `insert into person_phone (address_hash, person_id, phone, proof, proven_at)
     select r.address_hash, $2, r.phone, 'code', now() from recipient r where r.id = $1`,
    [recipient, personId],
  );
  const book = bookOf(db, PLATFORM_PROJECT_ID);
  const account = await book.open('available', personId);
  await book.post([
    {
      key: `earn:${personId}`,
      kind: 'earn',
      debit: await book.open('earnings'),
      credit: account,
      amount: tiyin * MICROS_OF_TIYIN,
    },
  ]);
  const { rows } = await db.query<{ id: string }>(
    `insert into payout_destination (project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
     values ($1, $2, 'multicard', 'x', $3, '4321', now() - interval '6 days', now() - interval '7 days') returning id`,
    [PLATFORM_PROJECT_ID, personId, randomBytes(32)],
  );
  const card = rows[0]?.id ?? '';
  const { token } = await openSession(world, owner);
  const call = async (method: string, path: string, { key, body }: Asked = {}) => {
    const answer = await fetch(apiUrl + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: text === '' ? {} : JSON.parse(text),
      replayed: answer.headers.get('idempotent-replayed'),
      retryAfter: answer.headers.get('retry-after'),
    };
  };
  return {
    personId,
    owner,
    card,
    call,
    withdraw: (amount: string, key: string = randomUUID(), destination = card) =>
      call('POST', '/api/withdraw', { key, body: { amount, destination_id: destination } }),
    balance: async () => (await call('GET', '/api/user/balance/me')).body,
    /** Bound two days ago; what it answers is signed. */
    bindDevice: async () => {
      const [deviceId, phone] = [uuidv7(), testPhone(apiUrl)];
      await db.query(
        `insert into device (id, person_id, kind, name, public_key, totp_encrypted, totp_last_step, created_at, bound_at)
         values ($1, $2, 'app', 'phone', $3, 'x', 0, now() - interval '2 days', now() - interval '2 days')`,
        [deviceId, personId, phone.publicKey],
      );
      const session = await openSession(world, { ...owner, deviceId });
      const headers = { Authorization: `Bearer ${session.token}` };
      return {
        /** What it is asked; null where nothing is. */
        challenge: async (): Promise<Challenge | null> => {
          const { data } = (await phone.fetch('GET', '/me/challenges', undefined, headers)).body as {
            data: { id: string }[];
          };
          const [first] = data;
          if (!first) return null;
          return (await phone.fetch('GET', `/me/challenges/${first.id}`, undefined, headers))
            .body as unknown as Challenge;
        },
        answer: (
          { id, project, purpose, context, expires_at }: Challenge,
          decision: string,
          number?: string,
        ) => {
          const statement = {
            challenge: id,
            project,
            purpose,
            context,
            decision,
            number: number ?? null,
            expires_at,
          };
          const body = {
            decision,
            signature: phone.sign('navbat-approval-v1', statement),
            ...(number && { number }),
          };
          return phone.fetch('POST', `/me/challenges/${id}/answer`, body, headers);
        },
      };
    },
  };
}

export const typeOf = ({ body }: { body: { type?: string } }) =>
  body.type?.replace('urn:navbat:problem:', '');

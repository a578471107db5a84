import { randomBytes, randomUUID } from 'node:crypto';
import type { ListOrder } from '../../../../../domain/pay/list/port.ts';
import type { ListLine } from '../../../../../domain/pay/list/read-list.ts';
import type { Phone } from '../../../../../domain/shared/phone.ts';
import { destinationSecrets } from '../../../../../infra/pay/destination-secrets.ts';
import { listStore } from '../../../../../infra/postgres/pay/list/lists.ts';
import { destinationStore } from '../../../../../infra/postgres/pay/payout/destinations.ts';
import { openPaying, UZS } from '../payout/paying.ts';

export const GROSS = 20_000n * UZS;
const MICROS = 10_000n;

/** Lists over a real Postgres, with a project that has paid in. */
export async function openListing() {
  const pay = await openPaying();
  const parts = { pool: pay.pool, book: pay.projectId, hash: pay.hash };
  const secrets = destinationSecrets(pay.hash, pay.rowEncryption);
  const destinations = destinationStore({ ...parts, secrets });
  const lists = listStore({ ...parts, destinations });
  const staffId = await pay.staff('finance');

  /** A project that has paid in so many tiyin. */
  const funder = async (tiyin: bigint) => {
    const { projectId: id } = await pay.makeProject();
    const [bank, funded, held] = [
      await pay.open('bank'),
      await pay.open('funded', id),
      await pay.open('funded-held', id),
    ];
    if (tiyin > 0n)
      await pay.post([
        { key: `top-up:${id}`, kind: 'top-up', debit: bank, credit: funded, amount: tiyin * MICROS },
      ]);
    return {
      id,
      funded: async () => (await pay.balance(funded)) / MICROS,
      held: async () => (await pay.balance(held)) / MICROS,
    };
  };
  const lines = (count: number, more: Partial<ListLine> = {}): ListLine[] =>
    Array.from({ length: count }, (_, n) => ({
      line: n + 2,
      phone: pay.nextPhone() as Phone,
      name: 'Vali Aliyev',
      amount: GROSS,
      purpose: 'Grant',
      bank: null,
      ...more,
    }));
  const order = (by: string, of: readonly ListLine[], more: Partial<ListOrder> = {}): ListOrder => ({
    staffId,
    key: randomUUID(),
    funder: by,
    name: 'Grants of November',
    rail: 'multicard',
    sha256: randomBytes(32),
    lines: of,
    total: of.reduce((sum, { amount }) => sum + amount, 0n),
    repeats: 'allowed',
    at: new Date(),
    ...more,
  });
  /** Somebody whom identity knows by this phone. */
  const personOf = async (phone: string): Promise<string> => {
    const id = randomUUID();
    await pay.pool.query('insert into person (id, created_at) values ($1, now())', [id]);
    await pay.pool.query(
      `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
      [pay.hash('address', phone), id, phone],
    );
    return id;
  };
  return { ...pay, destinations, lists, staffId, funder, lines, order, personOf };
}

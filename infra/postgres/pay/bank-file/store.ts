import type { Pool, PoolClient } from 'pg';
import type { BankOrder } from '../../../../domain/pay/bank-file/orders.ts';
import type { BankFiles, KeptFile, WrittenFile } from '../../../../domain/pay/bank-file/port.ts';
import { readBankToken } from '../../../../domain/pay/payout/bank-account.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { type Encryption, sha256 } from '../../../process/crypto.ts';
import { inTransaction } from '../../engine/transaction.ts';
import { moneyRefusalOf } from '../money-faults.ts';

/** Of one look; the next one takes the others. */
const BATCHES_MAX = 20;

/** Files of payment orders of one book. */
export function bankFiles(pool: Pool, book: ProjectId, encryption: Encryption): BankFiles {
  return {
    waiting: async () => {
      const { rows } = await pool.query<{ id: string }>(readWaiting, [book, BATCHES_MAX]);
      return rows.map(({ id }) => id);
    },
    write: async (batchId, write) => {
      try {
        return {
          ok: true,
          file: await inTransaction(pool, (tx) => writeNext(tx, encryption, batchId, write)),
        };
      } catch (error) {
        const refusal = moneyRefusalOf(error);
        if (!refusal) throw error;
        return { ok: false, refusal };
      }
    },
    read: (batchId, part) => read(pool, book, encryption, batchId, part),
  };
}

interface OrderRow {
  readonly dispatch: string;
  readonly n: number;
  readonly payout: string;
  readonly net: string;
  readonly destination: string;
  readonly token_encrypted: Buffer;
  readonly name: string;
  readonly purpose: string;
}

async function writeNext(
  tx: PoolClient,
  encryption: Encryption,
  batchId: string,
  write: (orders: readonly BankOrder[]) => Buffer,
): Promise<WrittenFile | null> {
  const { rows } = await tx.query<OrderRow>(begin, [batchId]);
  const [first] = rows;
  if (!first) return null;
  const orders = rows.map((row) => ({
    n: row.n,
    payoutId: row.payout,
    net: BigInt(row.net),
    account: readBankToken(encryption.decrypt(row.token_encrypted, row.destination)),
    name: row.name,
    purpose: row.purpose,
  }));
  const bytes = write(orders);
  const [hash, total] = [sha256(bytes), orders.reduce((sum, { net }) => sum + net, 0n)];
  // Latin 1 has a sign for each byte.
  const content = encryption.encrypt(bytes.toString('latin1'), first.dispatch);
  const kept = await tx.query<{ part: number }>(keep, [
    first.dispatch,
    orders.length,
    total.toString(),
    hash,
    content,
  ]);
  const part = kept.rows[0]?.part;
  if (part === undefined) throw new Error('bank_file_keep answered nothing');
  return { dispatchId: first.dispatch, part, documents: orders.length, total, sha256: hash.toString('hex') };
}

interface FileRow {
  readonly dispatch_id: string;
  readonly documents: number;
  readonly total: string;
  readonly sha256: Buffer;
  readonly content_encrypted: Buffer;
  readonly parts: number;
}

/** @throws where the bytes are not those that were kept: somebody changed them in the database. */
async function read(
  pool: Pool,
  book: ProjectId,
  encryption: Encryption,
  batchId: string,
  part: number,
): Promise<KeptFile | null> {
  const { rows } = await pool.query<FileRow>(readFile, [book, batchId, part]);
  const [row] = rows;
  if (!row) return null;
  const bytes = Buffer.from(encryption.decrypt(row.content_encrypted, row.dispatch_id), 'latin1');
  if (!sha256(bytes).equals(row.sha256))
    throw new Error(`the file of dispatch ${row.dispatch_id} was changed`);
  return {
    dispatchId: row.dispatch_id,
    part,
    parts: row.parts,
    documents: row.documents,
    total: BigInt(row.total),
    sha256: row.sha256.toString('hex'),
    bytes,
  };
}

const readWaiting = `
select b.id from payout_batch b
where b.project_id = $1 and b.rail = 'bank-file' and b.state = 'running'
  and exists (select from payout_item i where i.batch_id = b.id and i.state = 'ready')
order by b.id limit $2`;

const begin = `
select dispatch, n, payout, net, destination, token_encrypted, name, purpose from bank_file_begin($1) order by n`;

const keep = `select bank_file_keep($1, $2, $3, $4, $5) as part`;

const readFile = `
select f.dispatch_id, f.documents, f.total, f.sha256, f.content_encrypted,
  (select count(*)::int from bank_file x where x.batch_id = f.batch_id) as parts
from bank_file f join payout_batch b on b.id = f.batch_id
where b.project_id = $1 and f.batch_id = $2 and f.part = $3`;

import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { writeBankFile } from '../../../../domain/pay/bank-file/write.ts';
import { bankFileBytes } from '../../../../infra/pay/bank-file-bytes.ts';
import { bankFile, document } from '../../../domain/pay/bank-file/file.ts';
import { openFinanceBoard } from './finance-board.ts';

/** What each writes is in one of them. Reads go on. */
const TABLES =
  'payout, payout_item, payout_batch, payout_dispatch, payout_action, payout_list, rail, ledger_book, money_correction, difference, statement';

const LIST = 'Telefon;F.I.Sh.;Summa;Maqsad\r\n+998901230009;Vali Aliyev;20000;Grant';

const AT_ONCE = 3;
/** A few seconds for each three, and the three tries of a statement. */
const TEST_MS = 90_000;

type Answer = Pick<supertest.Response, 'status' | 'body' | 'headers'>;
const told = ({ status, body, headers }: Answer) => [status, body.type, headers['retry-after']];

test(
  'each door of finance says to come again, and has done nothing, where somebody else holds what it needs',
  async () => {
    const board = await openFinanceBoard();
    const [maker, checker] = [await board.member(), await board.member()];
    const payouts = [await board.pending(), await board.pending()];
    const { body: batch } = await maker.post('/finance/batches', { rail: 'multicard', name: 'Held' });
    const path = `/finance/batches/${batch.id}`;
    await maker.post(`${path}/items`, { payouts: payouts.slice(0, 1) }, 1).expect(200);
    const topUp = { project_id: PLATFORM_PROJECT_ID, amount: '2000000', reason: 'order 1' };
    const keyed = (at: string, body: object) => maker.post(at, body).set('Idempotency-Key', randomUUID());
    const { body: correction } = await keyed('/finance/top-ups', topUp).expect(202);
    const upload = (at: string, type: string, bytes: Buffer) =>
      supertest(board.url)
        .post(at)
        .set('Authorization', `Bearer ${maker.token}`)
        .set('Idempotency-Key', randomUUID())
        .set('Content-Type', type)
        .send(bytes);
    const proofOf = (version: number, more: object) =>
      checker.prove({ action: 'money.correct', subject: correction.id, version, ...more });
    const ofCorrection = await proofOf(1, { total: '2000000' });
    const reason = 'a look is needed';
    const some = randomUUID();
    await board.fund(some, 100_000_000n);
    const [opening, spent] = [10n ** 12n, document().amount];
    const totals = { opening, received: 0n, spent, closing: opening - spent };
    const statement = bankFileBytes(writeBankFile(bankFile({ totals })), 'Windows');

    const doors: Readonly<Record<string, () => PromiseLike<Answer>>> = {
      create: () => maker.post('/finance/batches', { rail: 'multicard', name: 'Held too' }),
      add: () => maker.post(`${path}/items`, { payouts: payouts.slice(1) }, 2),
      'add by a filter': () => maker.post(`${path}/items`, { filter: { source: 'withdrawal' } }, 2),
      drop: () => maker.drop(`${path}/items/1`, 2),
      submit: () => maker.post(`${path}/submit`, {}, 2),
      withdraw: () => maker.post(`${path}/withdraw`, { reason }, 2),
      reject: () => maker.post(`${path}/reject`, { reason }, 2),
      run: () => maker.post(`${path}/run`, {}, 2),
      pause: () => maker.post(`${path}/pause`, { reason }, 2),
      resume: () => maker.post(`${path}/resume`, {}, 2),
      'cancel the rest': () => maker.post(`${path}/cancel-rest`, { reason }, 2),
      close: () => maker.post(`${path}/close`, {}, 2),
      'top up': () => keyed('/finance/top-ups', topUp),
      'agree to a correction': () =>
        checker.post(`/finance/corrections/${correction.id}/agree`, { proof_id: ofCorrection }, 1),
      'withdraw a correction': () =>
        maker.post(`/finance/corrections/${correction.id}/withdraw`, { reason }, 1),
      'stop a rail': () => maker.post('/finance/rails/multicard/stop', { reason }),
      'ask to open a rail': () => maker.post('/finance/rails/bank-file/open', { reason }),
      'take on a difference': () => maker.post(`/finance/differences/${some}/own`),
      'close a difference': () => maker.post(`/finance/differences/${some}/close`, { note: reason }),
      'import a list': () => upload(`/finance/lists?name=Held&funder=${some}`, 'text/csv', Buffer.from(LIST)),
      'import a statement': () => upload('/finance/statements', 'application/octet-stream', statement),
      'cancel a payout': () => maker.post(`/finance/payouts/${payouts[1]}/cancel`, { reason }),
      'send a link': () => maker.post(`/finance/payouts/${payouts[0]}/link`),
    };
    await maker.post('/finance/rails/bank-file/stop', { reason }).expect(200);
    const before = (await maker.get(path)).body;
    const holder = await board.owner.connect();
    await holder.query('begin');
    await holder.query(`lock table ${TABLES} in exclusive mode`);
    const answers: [string, unknown][] = [];
    const waiting = Object.entries(doors);
    // More would wait for a connection, and not for a lock.
    while (waiting.length > 0)
      answers.push(
        ...(await Promise.all(
          waiting
            .splice(0, AT_ONCE)
            .map(async ([name, door]): Promise<[string, unknown]> => [name, told(await door())]),
        )),
      );
    await holder.query('rollback');
    holder.release();
    const again = [503, 'urn:navbat:problem:in-progress', '1'];
    expect(answers).toEqual(Object.keys(doors).map((name) => [name, again]));
    expect((await maker.get(path)).body).toEqual(before);
    await board.close();
  },
  TEST_MS,
);

import { createHash, randomUUID } from 'node:crypto';
import { equal } from 'node:assert/strict';
import type { Phone } from '../../../../../domain/shared/phone.ts';
import { RailToken } from '../../../../../domain/pay/rail/port.ts';
import { linkOutbox, payoutLinks } from '../../../../../infra/postgres/pay/list/links.ts';
import { statements } from '../../../../../infra/postgres/pay/reconcile/statements.ts';
import { dispatchWorldOn } from '../dispatch-world.ts';
import { GROSS, openListing } from '../list/listing.ts';
import { HOUR_MS, UZS } from '../payout/paying.ts';

export const CARD_TOKEN = 'tok-a-secret-of-the-rail';
const COMMISSION = 700n;
const answered = (status: 'draft' | 'success') => ({ kind: 'answered', status }) as const;

/**
 * Two payments from their beginning to their end, by the functions that the processes call: a withdrawal that a device confirmed, and a
 * line of a list whose payee bound a card by a link. Two people approve, the rail pays, its statement is read, the batch is closed, and so is
 * the chain.
 */
export async function openWholePayments() {
  const pay = await openListing();
  const { pool, projectId } = pay;
  const world = await dispatchWorldOn({ ...pay, encryption: pay.rowEncryption });

  const withdrawal = async () => {
    const person = await pay.person(30_000n * UZS);
    await pay.device(person.id);
    const gross = 20_000n * UZS;
    const { id } = await pay.ask({ person: person.id, destination: person.card, gross, fee: 200n * UZS });
    const verification = randomUUID();
    await pool.query('select payout_challenge($1, $2)', [id, verification]);
    await pay.approval(verification, { person: person.id, amount: gross });
    await pool.query('select payout_confirm_due(100)');
    return { id, phone: person.phone };
  };
  const listed = async () => {
    const funder = await pay.funder(GROSS);
    const lines = pay.lines(1);
    const imported = await pay.lists.import(pay.order(funder.id, lines));
    const phone = lines[0]?.phone as Phone;
    equal(imported.ok, true);
    const { id } = await pay.one<{ id: string }>('select id from payout where phone = $1', [phone]);
    const [token, bindingId] = [randomUUID(), randomUUID()];
    const outbox = linkOutbox({ pool, hash: pay.hash, encryption: pay.rowEncryption });
    equal(await outbox.make({ payoutId: id, phone }, token), true);
    await pool.query(
      `update payout_link set channel = 'sms', sent_at = now(), token_encrypted = null where payout_id = $1`,
      [id],
    );
    const links = payoutLinks(pool, pay.destinations);
    equal(await links.begin(token, bindingId), 'begun');
    equal(await links.opened(bindingId, 'session'), 'opened');
    const card = {
      token: new RailToken(CARD_TOKEN),
      last4: '4321',
      system: 'uzcard',
      holderName: 'VALI ALIYEV',
      phone,
      pinfl: null,
    };
    const bound = await links.bind(bindingId, card, { phone, nameScore: 100 });
    equal(bound.ok, true);
    return { id, phone, linkToken: token };
  };

  const payouts = [await withdrawal(), await listed()] as const;
  // A card that was just bound waits for a day.
  await pay.moveClock(25 * HOUR_MS);
  const [maker, checker] = [await pay.staff('finance'), await pay.staff('finance')];
  let batch = await pay.batches.create(maker);
  const ids = payouts.map(({ id }) => id);
  batch = await pay.batches.submit(await pay.batches.add(batch, maker, ids), maker);
  batch = await pay.batches.approve(batch, checker, await pay.proof(checker, batch));
  batch = await pay.batches.run(batch, maker);
  await world.start();
  const lines = [];
  for (const { id } of await world.dispatches(batch.id)) {
    const uuid = randomUUID();
    const draft = await world.claim(id);
    const confirmed = await world.move(id, draft.call, answered('draft'), 'drafted', {
      rail_uuid: uuid,
      commission: Number(COMMISSION),
      confirms: true,
    });
    await world.move(id, confirmed.call, answered('success'), 'paid');
    const { amount } = await pay.one<{ amount: string }>('select amount from payout_dispatch where id = $1', [
      id,
    ]);
    lines.push({
      key: createHash('sha256').update(uuid).digest('base64url'),
      direction: 'out' as const,
      uuid,
      reference: `${id}-1`,
      amount: BigInt(amount),
      commission: COMMISSION,
      at: new Date(Date.now() + 25 * HOUR_MS),
      says: null,
    });
  }
  const [from, to] = [new Date(Date.now() - HOUR_MS), new Date(Date.now() + 26 * HOUR_MS)];
  await statements({ pool, book: projectId, encryption: pay.rowEncryption }).import(
    { rail: 'multicard', from, to, lines, file: null },
    { dryRun: false },
  );
  await pool.query('select dispatch_finish_batches(100)');
  await pay.batches.close(await pay.batches.read(batch.id), maker);
  await pool.query('select ledger_close($1, 50, true)', [projectId]);
  return { ...pay, dispatches: world.dispatches, payouts, batchId: batch.id, maker, checker };
}

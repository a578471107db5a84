import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { navbatCommand } from '../../support/command-line.ts';
import { eventually } from '../../support/eventually.ts';
import { type Navbat, startNavbat } from '../../support/navbat.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { type Receiver, startReceiver } from '../../support/webhook-receiver.ts';

/** A real reconciler with the product pay, by the role that runs; its heads go out over real sockets. */
const CHAT = '4242';
const Inbox = z.array(z.object({ text: z.string() }));
let navbat: Navbat;
let witness: Receiver;

beforeAll(async () => {
  navbat = await startNavbat({ processes: [] });
});
afterAll(() => navbat.stop());

test('a day is signed, reaches the chat and the witness, and verifies from there', async () => {
  witness = await startReceiver();
  const env = {
    NAVBAT_PRODUCTS: 'message,pay',
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
    LEDGER_CHAT_ID: CHAT,
    LEDGER_WITNESS_URL: witness.url,
  };
  await navbat.db.query('select ledger_book_open($1)', [PLATFORM_PROJECT_ID]);
  await navbat.start('workers/main.ts', ['reconciler'], 'worker ready', env);
  const inbox = `${navbat.sandbox.url}/inbox.json?to=${CHAT}`;
  const [text = ''] = await eventually(async () => {
    const messages = Inbox.parse(await (await fetch(inbox)).json());
    expect(messages).toHaveLength(1);
    return messages.map((message) => message.text);
  });
  await eventually(() => expect(witness.received).toHaveLength(1));
  expect(text.split('\n').at(-1)).toBe(witness.received[0]?.body);
  await eventually(async () => {
    const { rows } = await navbat.db.query(
      'select from ledger_day where chat_sent_at is not null and witness_sent_at is not null',
    );
    expect(rows).toHaveLength(1);
  });
  const verified = await navbatCommand(['ledger', 'verify'], navbat.env);
  expect(verified).toMatchObject({ code: 0, err: '' });
  expect(verified.out).toContain('checked: 1 signed day;');
});

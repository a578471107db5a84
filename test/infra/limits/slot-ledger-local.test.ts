import { expect, test } from 'vitest';
import { localLedger } from '../../../infra/limits/slot-ledger-local.ts';

const PACE = { messagesPerSecond: 1, chatGapMs: 60_000 };
const wish = (chatId: string, more: { urgent?: boolean; mark?: string } = {}) => ({
  chatId,
  urgent: false,
  waitedMs: 0,
  ...more,
});

test('a message gives its unused slot’s chat back by its mark; without the mark the chat is busy', async () => {
  const ledger = localLedger({ messagesPerSecond: 1_000, chatGapMs: 60_000 });
  const first = await ledger.reserve([wish('1')]);
  const mark = first.answers[0]?.kind === 'slot' ? first.answers[0].mark : '';
  expect((await ledger.reserve([wish('1')])).answers).toMatchObject([{ kind: 'chat-busy' }]);
  expect((await ledger.reserve([wish('1', { mark })])).answers).toMatchObject([{ kind: 'slot' }]);
});

test('no wish behind the first that found no room is answered', async () => {
  const ledger = localLedger(PACE);
  // An ordinary message reserves a second ahead at this pace: the third is beyond it.
  const { answers } = await ledger.reserve([wish('1'), wish('2'), wish('3'), wish('4')]);
  expect(answers.map(({ kind }) => kind)).toEqual(['slot', 'slot', 'full']);
});

test('a freeze reserves nothing, and a shorter one does not end it', async () => {
  const ledger = localLedger(PACE);
  await ledger.freeze(60_000);
  await ledger.freeze(1);
  const { frozenMs, answers } = await ledger.reserve([wish('1', { urgent: true })]);
  expect(frozenMs).toBeGreaterThan(30_000);
  expect(answers).toEqual([]);
});

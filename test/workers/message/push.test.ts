import { expect, test } from 'vitest';
import type { PushWork } from '../../../domain/message/broadcast/work.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import { pruneDeadToken } from '../../../workers/message/push.ts';

const dead: SendReply = { kind: 'refused', reason: 'token-unregistered', addressIsDead: true };

async function prunedBy(work: Partial<PushWork>, reply: SendReply) {
  const pruned: [string, string][] = [];
  const prune = pruneDeadToken({ forgetPushToken: async (...of) => void pruned.push(of) });
  await prune({} as never, work as PushWork, 1, reply, new Date());
  return pruned;
}

test('only what the provider calls dead is forgotten, and only a recipient’s own token', async () => {
  const own = { to: { token: 'a-token' }, recipientId: 'r-1' };
  expect(await prunedBy(own, dead)).toEqual([['r-1', 'a-token']]);
  expect(await prunedBy(own, { ...dead, addressIsDead: false })).toEqual([]);
  expect(await prunedBy(own, { kind: 'faulted', reason: 'network' })).toEqual([]);
  expect(await prunedBy({ ...own, recipientId: null }, dead)).toEqual([]);
  expect(await prunedBy({ to: { topic: 'news' }, recipientId: 'r-1' }, dead)).toEqual([]);
});

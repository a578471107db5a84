import { z } from 'zod';
import type { BroadcastKind } from '../../../../domain/message/broadcast/broadcast.ts';
import type { SendReply } from '../../../../domain/job/reply.ts';
import { fcmClient } from '../../../../infra/providers/push/fcm-client.ts';
import { pushSender } from '../../../../infra/providers/message/push-sender.ts';
import { telegramClient } from '../../../../infra/providers/telegram/telegram-client.ts';

const Given = z.object({
  BENCH_KIND: z.enum(['telegram-message', 'push']),
  BENCH_JOBS: z.coerce.number().int().min(1),
  BENCH_CONCURRENCY: z.coerce.number().int().min(1),
  BENCH_PROVIDER: z.url(),
});

/** The provider's client in a loop, as many at once as a worker has in hand: no queue, no rows, no pace. */
const { BENCH_KIND, BENCH_JOBS, BENCH_CONCURRENCY, BENCH_PROVIDER } = Given.parse(process.env);
const send = senderOf(BENCH_KIND);
console.log('ready');
let next = 0;
await Promise.all(
  Array.from({ length: BENCH_CONCURRENCY }, async () => {
    while (next < BENCH_JOBS) {
      const reply = await send(next++);
      if (reply.kind !== 'accepted') throw new Error(`the provider answered ${reply.kind}`);
    }
  }),
);
console.log(JSON.stringify({ bench: 'bare', jobs: BENCH_JOBS }));
setInterval(() => undefined, 1_000);

function senderOf(kind: BroadcastKind): (index: number) => Promise<SendReply> {
  const signal = new AbortController().signal;
  if (kind === 'push') {
    const client = pushSender(fcmClient({ sandboxUrl: BENCH_PROVIDER }));
    const content = { notification: { title: 'bench' }, ttl_seconds: 60 };
    return (index) => client.send({ to: { token: `token-${index}` }, content }, signal);
  }
  const client = telegramClient({
    token: '7000000001:bench-bench-bench-bench-bench-bench',
    apiRoot: BENCH_PROVIDER,
    slots: { turn: () => Promise.resolve({ kind: 'now' }), freeze: () => Promise.resolve() },
  });
  return (index) =>
    client.send({ chatId: String(index + 1), text: 'bench', format: 'plain', urgent: false }, signal);
}

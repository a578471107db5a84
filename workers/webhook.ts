import type { Provider } from '../domain/job/guard.ts';
import { judgeCall } from '../domain/webhook/judge.ts';
import type { CallWebhook, SignWebhook, WebhookJobs, WebhookWork } from '../domain/webhook/lane.ts';
import { outcomeOf } from './attempt.ts';

export interface WebhookDeps {
  readonly call: CallWebhook;
  readonly sign: SignWebhook;
  readonly record: WebhookJobs['record'];
  readonly now: () => Date;
}

/** Tells a customer's server of one event: sign, call, judge, write down. Every try has the same id and the same body. */
export function webhookProvider({ call, sign, record, now }: WebhookDeps): Provider<WebhookWork, 'webhook'> {
  return {
    channel: 'webhook',
    provider: 'endpoint',
    async send(work, signal) {
      const at = now();
      const startedMs = performance.now();
      const called = await call(
        { url: work.url, headers: headersOf(work, at, sign), body: work.body },
        signal,
      );
      const latencyMs = Math.round(performance.now() - startedMs);
      const { reply, health } = judgeCall(called, work.eventId, work.snoozes, now());
      await record({ work, called, health, ...outcomeOf(reply), latencyMs, at });
      return reply;
    },
  };
}

function headersOf(work: WebhookWork, at: Date, sign: SignWebhook): Record<string, string> {
  const timestampSeconds = Math.floor(at.getTime() / 1_000);
  return {
    'content-type': 'application/json',
    'user-agent': 'Navbat-Webhook/1 (+https://www.standardwebhooks.com)',
    'webhook-id': work.eventId,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': sign(work.secrets, { id: work.eventId, timestampSeconds, body: work.body }),
  };
}

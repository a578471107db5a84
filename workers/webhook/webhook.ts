import type { Provider } from '../../domain/job/guard.ts';
import { classifyResponse } from '../../domain/webhook/classify-response.ts';
import type { CallWebhook, SignWebhook, WebhookJobs, WebhookWork } from '../../domain/webhook/delivery.ts';
import { outcomeOf } from '../engine/attempt.ts';

export interface WebhookDeps {
  readonly call: CallWebhook;
  readonly sign: SignWebhook;
  readonly record: WebhookJobs['record'];
  readonly now: () => Date;
  /** The time of the world, by which receivers check a signature. */
  readonly signedAt: () => Date;
}

export interface WebhookCalls {
  readonly provider: Provider<WebhookWork, 'webhook'>;
  /** Until the answer to this call is in the log. */
  readonly recorded: (work: WebhookWork) => Promise<void>;
}

/**
 * Tells a customer's server of one event: sign, call, classify, write down. Every try has the same id and the same body. The
 * writing is waited for apart, so that its commit holds no place at the endpoint.
 */
export function webhookCalls({ call, sign, record, now, signedAt }: WebhookDeps): WebhookCalls {
  const recording = new WeakMap<WebhookWork, Promise<void>>();
  const provider: WebhookCalls['provider'] = {
    channel: 'webhook',
    provider: 'endpoint',
    async send(work, signal) {
      const at = now();
      const startedMs = performance.now();
      const called = await call(
        { url: work.url, headers: headersOf(work, signedAt(), sign), body: work.body },
        signal,
      );
      const latencyMs = Math.round(performance.now() - startedMs);
      const { reply, health } = classifyResponse(called, work.eventId, work.snoozes, now());
      const written = record({ work, called, health, ...outcomeOf(reply), latencyMs, at });
      // Thrown where it is waited for.
      written.catch(() => undefined);
      recording.set(work, written);
      return reply;
    },
  };
  return { provider, recorded: async (work) => recording.get(work) };
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

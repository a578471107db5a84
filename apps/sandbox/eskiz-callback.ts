import { smsSegments } from '../../domain/shared/sms-segments.ts';
import { ESKIZ_FAILURES } from './eskiz-errors.ts';
import type { Message, Status } from './message.ts';
import type { World } from './world.ts';

/** The first try and three more: about three seconds, while the receiver restarts. */
const TRIES_MAX = 4;
/** The word by which Eskiz reports a status. */
export function wordOf({ status, error_code: code }: Pick<Message, 'status' | 'error_code'>): string {
  if (status === 'delivered') return 'DELIVRD';
  if (status !== 'undelivered') return 'TRANSMTD';
  return ESKIZ_FAILURES.find((word) => word === code) ?? 'UNDELIV';
}

/** Posts one status of one message, unsigned as Eskiz does; without `proven` to an address that has lost what was secret in it. */
export function reportStatus(
  world: World,
  { message, status, url, proven }: { message: Message; status: Status; url: string; proven: boolean },
): void {
  const address = new URL(url);
  if (!proven) address.search = '';
  const { provider_reference: id, to, text, idempotency_key, error_code } = message;
  const body = new URLSearchParams({
    request_id: id,
    message_id: id,
    user_sms_id: idempotency_key ?? '',
    country: 'UZ',
    phone_number: to.replace(/\D/g, ''),
    sms_count: String(smsSegments(text)),
    status: wordOf({ status, error_code }),
    status_date: localTime(world.clock()),
  }).toString();
  void world.caller.deliver({
    url: address.href,
    compose: () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }),
    accepts: (answered) => answered >= 200 && answered < 300,
    triesMax: proven ? TRIES_MAX : 1,
    pauseMs: world.timing.callbackPauseMs,
  });
}

/** `2026-11-20 14:00:00`, of Tashkent: five hours ahead of UTC all year. */
function localTime(at: Date): string {
  const ahead = new Date(at.getTime() + 5 * 3_600_000);
  return ahead.toISOString().slice(0, 19).replace('T', ' ');
}

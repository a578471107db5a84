import type { Message, Status } from './message.ts';
import { PLAY_MOBILE_FAILURES } from './play-mobile-errors.ts';
import type { World } from './world.ts';

/** The first try and three more: about three seconds, while the receiver restarts. */
const TRIES_MAX = 4;
const HOURS_AHEAD_MS = 5 * 3_600_000;

/** The word by which the broker reports a status. */
function wordOf(status: Status, code: number | string | undefined): string {
  if (status === 'delivered') return 'Delivered';
  if (status !== 'undelivered') return 'Transmitted';
  // A code of Twilio's means no more here than that it was not delivered.
  return PLAY_MOBILE_FAILURES.find((word) => word === code) ?? 'NotDelivered';
}

/**
 * Posts one status of one message to the address agreed with the broker, unsigned as the broker does; without `proven` to an
 * address whose token is wrong.
 */
export function reportStatus(
  world: World,
  { message, status, proven }: { message: Message; status: Status; proven: boolean },
): void {
  const agreed = world.credentials.playMobile?.reportUrl;
  if (agreed === undefined) return;
  const url = new URL(agreed);
  if (!proven) url.searchParams.set('token', 'forged');
  const body = JSON.stringify({
    messages: [
      {
        'message-id': message.provider_reference,
        channel: 'sms',
        status: wordOf(status, message.error_code),
        'status-date': localTime(world.clock()),
      },
    ],
  });
  void world.caller.deliver({
    url: url.href,
    compose: () => ({ headers: { 'content-type': 'application/json; charset=utf-8' }, body }),
    accepts: (answered) => answered >= 200 && answered < 300,
    triesMax: proven ? TRIES_MAX : 1,
    pauseMs: world.timing.callbackPauseMs,
  });
}

/** `2026-11-20 14:00:00`, of Tashkent: five hours ahead of UTC all year. */
const localTime = (at: Date): string =>
  new Date(at.getTime() + HOURS_AHEAD_MS).toISOString().slice(0, 19).replace('T', ' ');

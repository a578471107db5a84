import { createHmac } from 'node:crypto';
import type { Message, Status } from './message.ts';
import type { World } from './world.ts';

/** The first try and three more: about three seconds, while the receiver restarts. */
const TRIES_MAX = 4;

export interface StatusReport {
  message: Message;
  status: Status;
  account: { sid: string; authToken: string };
  url: string;
  apiVersion: string;
}

/** Posts one status of one message, signed as Twilio signs, and repeats it until the receiver answers 2xx. */
export function reportStatus(world: World, report: StatusReport): void {
  const parameters = parametersOf(report);
  const body = new URLSearchParams(parameters).toString();
  const headers = {
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    'user-agent': 'TwilioProxy/1.1',
    'i-twilio-idempotency-token': `${report.message.provider_reference}-${report.status}`,
    'x-twilio-signature': twilioSignature(report.account.authToken, report.url, parameters),
  };
  void world.caller.deliver({
    url: report.url,
    compose: () => ({ headers, body }),
    accepts: (status) => status >= 200 && status < 300,
    triesMax: TRIES_MAX,
    pauseMs: world.timing.callbackPauseMs,
  });
}

/** base64(HMAC-SHA1(auth token, url followed by every name and value, sorted by name)). */
function twilioSignature(authToken: string, url: string, parameters: Record<string, string>): string {
  const signed = Object.keys(parameters)
    .toSorted()
    .reduce((text, name) => text + name + parameters[name], url);
  return createHmac('sha1', authToken).update(signed).digest('base64');
}

function parametersOf({ message, status, account, apiVersion }: StatusReport): Record<string, string> {
  const service = message.details['messaging_service_sid'];
  const failed = status === 'undelivered' && message.error_code !== undefined;
  return {
    AccountSid: account.sid,
    ApiVersion: apiVersion,
    ...(failed ? { ErrorCode: String(message.error_code) } : {}),
    From: message.from,
    MessageSid: message.provider_reference,
    MessageStatus: status,
    ...(typeof service === 'string' ? { MessagingServiceSid: service } : {}),
    SmsSid: message.provider_reference,
    SmsStatus: status,
    To: message.to,
  };
}

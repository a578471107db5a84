import type { Logger } from 'pino';
import type { Caller } from './caller.ts';
import type { Faults } from './faults.ts';
import type { Inbox } from './inbox.ts';
import type { Timers } from './timers.ts';

/** Where one is set, only it is accepted; where none is, anything well-formed is. */
export interface Credentials {
  twilio?: { accountSid: string; authToken: string } | undefined;
  /** `reportUrl`: the address for reports that was agreed with the broker; without one nothing is reported. */
  playMobile?: { login: string; password: string; reportUrl?: string | undefined } | undefined;
  eskiz?: { email: string; password: string } | undefined;
  telegramBotToken?: string | undefined;
  telegramGatewayToken?: string | undefined;
  fcmAccessToken?: string | undefined;
}

export interface Timing {
  /** Between two steps of a message: queued, sent, delivered. */
  stepMs: number;
  /** Before the second try of a callback; then twice as long each time. */
  callbackPauseMs: number;
}

/** What all providers share. */
export interface World {
  inbox: Inbox;
  faults: Faults;
  timers: Timers;
  caller: Caller;
  credentials: Credentials;
  timing: Timing;
  /** To be told when something changed that a restart must find again, besides messages. */
  changed: () => void;
  clock: () => Date;
  log: Logger;
}

import type {
  ChatCodeOrder,
  CodeCheck,
  CodeChecked,
  CodeSent,
  PhoneCodeOrder,
  PhoneCodes,
} from '../identity/port.ts';
import { VerificationId } from '../shared/ids.ts';
import { knownPhone } from '../shared/phone.ts';
import { SERVICE } from './asker.ts';
import { channelRules, phoneProvingChannels } from './channel.ts';
import { checkGuarded, type GuardedChecks } from './guarded-check.ts';
import type { OtpIntake, SendOrder } from './intake.ts';
import { ownSend } from './send-command.ts';

export interface PhoneCodesDeps extends GuardedChecks {
  readonly intake: OtpIntake;
}

/** Identity's codes, as sends and checks under the limits of every other. */
export function phoneCodes(deps: PhoneCodesDeps): PhoneCodes {
  return {
    // The dearest channel that the code may take; what it really costs is on the account of its sender.
    phoneCodeMicros: Math.max(...phoneProvingChannels.map((channel) => channelRules[channel].reservedMicros)),
    sendToPhone: (order) => send(deps, phoneSend(order)),
    sendToChat: (order) => send(deps, chatSend(order)),
    check: (check) => checkCode(deps, check),
    async countGuess(projectId, guesser) {
      const retryAfterSeconds = await deps.failures.enter({ ...guesser, projectId });
      return retryAfterSeconds === null ? { kind: 'unknown' } : { kind: 'blocked', retryAfterSeconds };
    },
  };
}

const phoneSend = ({ sender, phone, purpose, ttlSeconds, asker, requestId }: PhoneCodeOrder): SendOrder => ({
  caller: sender,
  command: ownSend({
    phone: knownPhone(phone),
    // A test key's codes are shown to its holder, and prove nobody's phone.
    mode: 'live',
    channels: phoneProvingChannels,
    purpose,
    ttlSeconds,
  }),
  asker: { kind: 'stranger', from: asker },
  destination: { phone },
  idempotency: null,
  requestId,
});

/** A second ask is a new code at once (the first may lie unread in another chat); the hourly limit stays. */
const chatSend = ({ sender, destination, idempotency, requestId, ...code }: ChatCodeOrder): SendOrder => ({
  caller: sender,
  command: ownSend({
    // Not the phone's verification: a code to a chat says nothing of a number, and earns its prefix no trust.
    phone: null,
    mode: sender.mode,
    channels: ['telegram'],
    purpose: code.purpose,
    length: code.digits,
    ttlSeconds: code.ttlSeconds,
    onResend: 'rotate',
    checkByTo: true,
    gapsSeconds: [],
  }),
  // The bot's own key, or Telegram's signature, says that it is they: no stranger asks for them.
  asker: SERVICE,
  destination,
  idempotency,
  requestId,
});

async function send({ intake }: PhoneCodesDeps, order: SendOrder): Promise<CodeSent> {
  const sent = await intake.accept(order);
  switch (sent.kind) {
    case 'accepted':
      return { ok: true, id: sent.id, expiresAt: sent.expiresAt };
    case 'refused': {
      const { reason, retryAfterSeconds, facts } = sent;
      return { ok: false, reason, retryAfterSeconds, ...(facts && { facts }) };
    }
    case 'closed':
      throw new Error('what is no resend was answered as one');
    case 'key-reused':
      throw new Error('the key of a code of our own was given another meaning');
  }
}

async function checkCode(deps: PhoneCodesDeps, check: CodeCheck): Promise<CodeChecked> {
  const { projectId, mode, of, purpose, code, guesser } = check;
  const what = 'id' in of ? { ...of, purpose, by: 'stranger' as const } : { ...of, purpose };
  const checked = await checkGuarded(deps, { ...guesser, projectId }, { projectId, mode, of: what, code });
  return checked.kind === 'approved'
    ? { ok: true, id: VerificationId.parse(checked.id), phone: checked.phone }
    : { ok: false, failure: checked };
}

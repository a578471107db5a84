import type { Caller } from '../project/caller.ts';
import type { Locale } from '../shared/locale.ts';
import type { PhoneFacts } from '../shared/phone.ts';
import { phoneProvingChannels } from './channel.ts';
import { ownSend, type SendCommand } from './send-command.ts';
import { APPROVAL_PURPOSE } from './strangers.ts';

/** A code to a phone, on the project's own channels as far as they prove it; by SMS where none does. */
export function phoneProvingSend(
  { mode, settings }: Pick<Caller, 'mode' | 'settings'>,
  phone: PhoneFacts,
  purpose: string,
  locale: Locale | null,
): SendCommand {
  const channels = settings.channels.filter((channel) =>
    phoneProvingChannels.some((proving) => proving === channel),
  );
  return ownSend({ phone, mode, channels: channels.length > 0 ? channels : ['sms'], purpose, locale });
}

/** A challenge to whatever device the person has bound. */
export const approvalSend = (
  { access, mode }: Pick<Caller, 'access' | 'mode'>,
  phone: PhoneFacts | null,
  client: SendCommand['client'],
): SendCommand => {
  const metadata = access === 'publishable' ? askedByApp : null;
  return ownSend({ phone, mode, channels: ['push'], purpose: APPROVAL_PURPOSE, client, metadata });
};

/** An app's key is anybody's. What it asked for stays open after a denial, as if nobody were there. */
const askedByApp = { asked_by: 'app' };

export const isAskedByApp = (metadata: SendCommand['metadata']): boolean =>
  metadata?.['asked_by'] === askedByApp.asked_by;

import { parsePhone } from '../../../domain/shared/phone.ts';
import { ownSend, type SendCommand } from '../../../domain/verify/send-command.ts';
import type { SendFacts } from '../../../domain/verify/send-facts.ts';
import type { Verification } from '../../../domain/verify/verification.ts';
import { ProjectSettings } from '../../../domain/settings.ts';

export const now = new Date('2026-01-15T10:00:00Z');
export const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
export const secondsLater = (seconds: number) => secondsAgo(-seconds);

export const command: SendCommand = ownSend({
  phone: parsePhone('+998901234567'),
  mode: 'live',
  channels: ['push', 'telegram', 'sms'],
  channelsByDefault: true,
  purpose: 'login',
});
export const named = (...channels: SendCommand['channels']): SendCommand => {
  const { channelsByDefault: _byDefault, ...rest } = command;
  return { ...rest, channels };
};
export const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };
export const facts: SendFacts = {
  settings: ProjectSettings.parse({}),
  sentAt: [],
  locked: false,
  stranger: null,
  live: null,
  again: false,
  reach: {
    push: false,
    ownApp: false,
    telegram: false,
    providers: new Set(['push', 'telegram', 'sms']),
    smsMicros: 350_000,
    locale: null,
  },
  spend: { spentMicros: 0, strangerMicros: 0 },
  askedBy: 'service',
  projectId: 'p',
  paid: [],
  risk: { prefix: null, ip: null, device: null },
};
export const live = {
  id: 'v',
  state: 'live',
  sends: 1,
  sentAt: secondsAgo(30),
  createdAt: secondsAgo(30),
  expiresAt: secondsLater(270),
  ttlSeconds: 300,
  codeGeneration: 0,
  codeLength: 6,
  checksMax: 5,
  payment: null,
} as Verification;

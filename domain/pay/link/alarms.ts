/** Payees who wait for a card to be bound, and whom no link reaches. */
export interface UnreachablePayees {
  readonly count: number;
  readonly since: Date;
}

/** A project whose links went by SMS today as often as they may. */
export interface SpentLinkSms {
  readonly project: string;
  readonly links: number;
  /** When its day began. */
  readonly since: Date;
}

interface Alarm {
  readonly alarm: 'payees-unreachable' | 'link-sms-spent';
  readonly subject: string;
  readonly since: Date;
  readonly says: string;
  readonly nextStep: string;
  readonly link: null;
}

export const linkAlarms = (
  unreachable: readonly UnreachablePayees[],
  spent: readonly SpentLinkSms[],
): readonly Alarm[] => [...unreachable.map(unreachableAlarm), ...spent.map(spentAlarm)];

const spentAlarm = ({ project, links, since }: SpentLinkSms): Alarm => ({
  alarm: 'link-sms-spent',
  subject: project,
  since,
  says: `${links} payees of ${project} were sent their link by SMS today, which is as many as may be. The others wait.`,
  nextStep:
    'Look who asks for its payouts. If they are meant, do nothing: a day later the others are sent theirs. Payees who write to the bot have theirs at once.',
  link: null,
});

const unreachableAlarm = ({ count, since }: UnreachablePayees): Alarm => ({
  alarm: 'payees-unreachable',
  subject: 'links',
  since,
  says: `${count} payees have no card and no link: no chat with the bot, and no SMS that arrives.`,
  nextStep:
    'GET /finance/lists shows of which lists. Have them write to the bot, or set up a provider of SMS: docs/operations.md, Lists of finance.',
  link: null,
});

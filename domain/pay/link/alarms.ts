/** Payees who wait for a card to be bound, and whom no link reaches. */
export interface UnreachablePayees {
  readonly count: number;
  readonly since: Date;
}

interface Alarm {
  readonly alarm: 'payees-unreachable';
  readonly subject: string;
  readonly since: Date;
  readonly says: string;
  readonly nextStep: string;
  readonly link: null;
}

export const linkAlarms = (unreachable: readonly UnreachablePayees[]): readonly Alarm[] =>
  unreachable.map(({ count, since }) => ({
    alarm: 'payees-unreachable',
    subject: 'links',
    since,
    says: `${count} payees have no card and no link: no chat with the bot, and no SMS that arrives.`,
    nextStep:
      'GET /finance/lists shows of which lists. Have them write to the bot, or set up a provider of SMS: docs/operations.md, Lists of finance.',
    link: null,
  }));

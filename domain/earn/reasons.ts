import type { Reason } from '../shared/reason.ts';

/** Why traffic is not taken, or a price not set. */
export const earnReasons = {
  'session-open': {
    meaning: 'A session of this installation is open; `session_id` names it.',
    retry: 'after-change',
    nextStep: 'Go on with that session, or stop it first: POST /api/traffic/stop.',
    seen: ['problem'],
  },
  'no-price': {
    meaning: 'No price of a MB was ever set, so nothing can be earned.',
    retry: 'later',
    nextStep: 'Staff set the price of a day: POST /api/admin/daily_price.',
    seen: ['problem'],
  },
  'too-many-installations': {
    meaning: 'The person has shared traffic from as many installations of the app as count in thirty days.',
    retry: 'after-change',
    nextStep: 'Share from one of those phones, or ask support.',
    seen: ['problem'],
  },
  'too-many-sessions': {
    meaning: 'The person has started as many sessions as they may in 24 hours.',
    retry: 'later',
    nextStep: 'Start the next one later, and go on with a session for as long as it is open.',
    seen: ['problem'],
  },
  'person-blocked': {
    meaning: 'Staff have blocked the person: they start no session and withdraw nothing.',
    retry: 'no',
    nextStep: 'Ask support why.',
    seen: ['problem'],
  },
  'already-blocked': {
    meaning: 'Staff block the person already.',
    retry: 'no',
    nextStep: 'Look why: GET /api/admin/users/{id}.',
    seen: ['problem'],
  },
  'not-blocked': {
    meaning:
      'No member of staff blocks the person. What happened to them, such as a lost phone, ends by itself.',
    retry: 'no',
    nextStep: 'Look at their blocks: GET /api/admin/users/{id}.',
    seen: ['problem'],
  },
  'session-over': {
    meaning: 'All reports were measured after the session had ended, or it ended more than 30 days ago.',
    retry: 'no',
    nextStep: 'Start a new session: POST /api/traffic/start.',
    seen: ['problem'],
  },
  'session-full': {
    meaning: 'The session has as many reports as one may have.',
    retry: 'no',
    nextStep:
      'Stop it and start a new one. Report once a minute: `report_every_s` of the start says how often.',
    seen: ['problem'],
  },
  'day-begun': {
    meaning: 'The day has begun in Tashkent: its price stays what it is.',
    retry: 'after-change',
    nextStep: 'Name a later day.',
    seen: ['problem'],
  },
  'day-too-far': {
    meaning: 'The day is more than a year ahead.',
    retry: 'after-change',
    nextStep: 'Name an earlier day.',
    seen: ['problem'],
  },
  'own-change': {
    meaning: 'Who asked for a price does not agree to it.',
    retry: 'no',
    nextStep: 'Another member of staff agrees.',
    seen: ['problem'],
  },
  'price-asker-gone': {
    meaning: 'Who asked for the price was disabled, or is not of finance any more: one person is no two.',
    retry: 'after-change',
    nextStep: 'Withdraw it, ask for it anew, and have another member of staff agree.',
    seen: ['problem'],
  },
  'change-ended': {
    meaning: 'The price was agreed to or withdrawn before.',
    retry: 'no',
    nextStep: 'Look at the prices: GET /api/admin/daily_price.',
    seen: ['problem'],
  },
  appealed: {
    meaning: 'The day of this session was appealed before: it can be once.',
    retry: 'no',
    nextStep: 'Read the answer where the day is shown: GET /api/traffic/days/{session_id}/{day}.',
    seen: ['problem'],
  },
  'day-paid': {
    meaning: 'The day is paid, at once or with its close.',
    retry: 'no',
    nextStep: 'A person has nothing to appeal. Staff answer an appeal of it with `overturned`.',
    seen: ['problem'],
  },
  'appeal-late': {
    meaning: 'The day ended so long ago that what it was metered of is soon gone.',
    retry: 'no',
    nextStep: 'Ask support.',
    seen: ['problem'],
  },
  'appeal-open-limit': {
    meaning: 'The person has as many appeals that wait for an answer as they may.',
    retry: 'later',
    nextStep: 'Wait until staff have answered one of them.',
    seen: ['problem'],
  },
  'appeal-ended': {
    meaning: 'Another member of staff has answered the appeal otherwise.',
    retry: 'no',
    nextStep: 'Decide the day itself: POST /api/admin/traffic/days/{session_id}/{day}/decide.',
    seen: ['problem'],
  },
  'day-posted': {
    meaning: 'What the day earned is in the ledger.',
    retry: 'after-change',
    nextStep: 'Take it back: POST /api/admin/traffic/days/{session_id}/{day}/take-back.',
    seen: ['problem'],
  },
  'day-given-again': {
    meaning: 'The day was taken back once and given again: it is not taken back a second time.',
    retry: 'no',
    nextStep: 'Where that was wrong, finance corrects the account by two people: docs/operations.md.',
    seen: ['problem'],
  },
  'nothing-to-take': {
    meaning: 'Of the day nothing is in the ledger.',
    retry: 'after-change',
    nextStep: 'Before its close, decide that it is unpaid: POST …/decide.',
    seen: ['problem'],
  },
  'too-many-connections': {
    meaning:
      'As many connections for live updates are open as this process may have, or as many newer ones as the person may have.',
    retry: 'later',
    nextStep: 'Close connections that are not needed, or come back after Retry-After.',
    seen: ['problem'],
  },
  'support-open-limit': {
    meaning: 'The person has as many requests to support that are not closed as they may.',
    retry: 'after-change',
    nextStep: 'Reply to one of them, or close one: POST /api/support/{id}/close.',
    seen: ['problem'],
  },
  'support-day-limit': {
    meaning: 'The person has written to support as often as they may in 24 hours.',
    retry: 'later',
    nextStep: 'Write again tomorrow. What was written is read.',
    seen: ['problem'],
  },
  'support-full': {
    meaning: 'The request to support has as many messages as one may have.',
    retry: 'after-change',
    nextStep: 'Open a new request: POST /api/support.',
    seen: ['problem'],
  },
  'support-card-number': {
    meaning: 'The text holds what reads as the number of a card. Support needs none, and none is kept.',
    retry: 'after-change',
    nextStep: 'Write it without the number: its last four digits are enough.',
    seen: ['problem'],
  },
  'news-published': {
    meaning: 'The announcement was published: people have read it as it is.',
    retry: 'no',
    nextStep: 'Publish another one.',
    seen: ['problem'],
  },
  'promo-unknown': {
    meaning: 'No promo code reads like this now: there is none, or it does not begin yet.',
    retry: 'after-change',
    nextStep: 'Look at how it is written. Capitals or small letters are alike.',
    seen: ['problem'],
  },
  'promo-ended': {
    meaning: 'The time of the promo code is over.',
    retry: 'no',
    nextStep: 'Nothing. GET /api/news tells of new ones.',
    seen: ['problem'],
  },
  'promo-used-up': {
    meaning: 'As many people as may have redeemed the promo code.',
    retry: 'no',
    nextStep: 'Nothing. GET /api/news tells of new ones.',
    seen: ['problem'],
  },
  'promo-dates': {
    meaning: 'The promo code would have ended already, begin after it ends, or last longer than a year.',
    retry: 'after-change',
    nextStep: 'Name other dates.',
    seen: ['problem'],
  },
  'promo-taken': {
    meaning: 'A promo code of the project reads like this, or did: each is used once.',
    retry: 'after-change',
    nextStep: 'Choose another code.',
    seen: ['problem'],
  },
  'own-promo': {
    meaning: 'Who made a promo code does not agree to it.',
    retry: 'no',
    nextStep: 'Another member of staff agrees.',
    seen: ['problem'],
  },
  'promo-agreed': {
    meaning: 'The promo code waits for nobody: it is active, or has ended.',
    retry: 'no',
    nextStep: 'Look at the promo codes: GET /api/admin/promo.',
    seen: ['problem'],
  },
  'promo-asker-gone': {
    meaning: 'Who made the promo code was disabled, or is not of finance any more: one person is no two.',
    retry: 'after-change',
    nextStep: 'End it, make it anew, and have another member of staff agree.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

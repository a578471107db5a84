/** 64 bytes in base64url, as a device writes its signature. */
const SIGNATURE = `${'pYlVvQ0pX2l0m3Zt'.repeat(5)}pYlVvA`;

const PASSKEY_REMOVAL = {
  action: 'passkey.remove',
  subject: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b21',
  version: 1,
};

const PAYOUT = {
  phone: '+998901234567',
  name: 'Aziza Karimova',
  amount: '15000000',
  purpose: 'Delivery, November',
  reference: 'invoice-4711',
};

const NEWS = {
  uz: { title: 'Shanba kuni narx yuqori', text: 'Shanba kuni har bir MB 2 so‘m bo‘ladi.' },
  en: { title: 'A higher price on Saturday', text: 'On Saturday each MB earns 2 UZS.' },
};

/**
 * A request that is accepted, for each operation that takes a body: what "Try it out" sends. `test/apps/http/examples.system.test.ts`
 * reads each by its schema and sends those that stand alone to the running app.
 */
export const requestExamples: Readonly<Record<string, unknown>> = {
  'post /otp/send': { to: '+998901234567', channels: ['sms'], purpose: 'login' },
  'post /otp/verify': { id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21', code: '123456' },
  'post /otp/{id}/resend': {},
  'post /otp/{id}/cancel': {},
  'post /api/send-otp/': { phone: '+998901234567' },
  'post /api/verify-otp/': { phone: '+998901234567', otp: '123456' },
  'post /register': { telegram_id: 123456789, phone_number: '+998901234567' },
  'post /verify': { telegram_id: 123456789, verification_code: '123456' },
  'post /auth/telegram': {
    init_data: 'query_id=AAE…&user=%7B%22id%22%3A123456789%7D&auth_date=1768471200&hash=6f1c…',
  },
  'post /api/auth/telegram': {
    id: 123456789,
    first_name: 'Aziza',
    auth_date: 1768471200,
    hash: '6f1c0b7d2e9a4f3856c1d0e7b8a9f2435d6e7c8b9a0f1e2d3c4b5a697887a6b5',
  },
  'post /auth/code': { phone: '+998901234567' },
  'post /auth/code/verify': { id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21', code: '123456' },
  'post /auth/approval': { to: '+998901234567' },
  'post /auth/approval/token': {
    id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21',
    poll_token: 'pYlVvQ0pX2l0m3ZtpYlVvQ0pX2l0m3ZtpYlVvQ0pX2k',
  },
  'post /auth/device': {
    device_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21',
    at: '2026-01-15T10:00:00.000Z',
    nonce: 'pYlVvQ0pX2l0m3Zt',
    signature: SIGNATURE,
  },
  'post /auth/refresh': { refresh_token: 'nbr_pYlVvQ0pX2l0m3ZtpYlVvQ0pX2l0m3Zt' },
  'post /telegram/send': {
    to: { chat_id: 123456789 },
    text: 'Your order 4711 has been sent.',
    buttons: [[{ text: 'Track it', url: 'https://example.com/orders/4711' }]],
  },
  'post /push/send': {
    to: { topic: 'news' },
    notification: { title: 'Your order', body: 'Order 4711 has been sent.' },
    data: { order: '4711' },
  },
  'post /broadcasts/{id}/pause': {},
  'post /broadcasts/{id}/resume': {},
  'post /broadcasts/{id}/cancel': {},
  'post /webhooks/endpoints': {
    url: 'https://example.com/navbat',
    event_types: ['verification.approved', 'message.failed'],
  },
  'patch /webhooks/endpoints/{id}': { enabled: true },
  'post /webhooks/events/{id}/replay': {},
  'post /webhooks/replay': { from: '2026-01-15T00:00:00Z', to: '2026-01-16T00:00:00Z', dry_run: true },
  'post /webhooks/endpoints/{id}/test': {},
  'post /me/enrolments': {},
  'post /enrolments': { recipient: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21' },
  'post /devices': {
    token: 'pYlVvQ0pX2l0m3ZtpYlVvQ0pX2l0m3ZtpYlVvQ0pX2k',
    name: 'My phone',
    platform: 'android 16',
    public_key: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  },
  'post /devices/{id}/confirm': { signature: SIGNATURE, totp: '123456' },
  'post /me/authenticators': { name: 'Authenticator' },
  'post /me/authenticators/{id}/confirm': { totp: '123456' },
  'patch /me/devices/{id}': { name: 'My phone' },
  'post /me/devices/{id}/rotate': {},
  'post /me/devices/{id}/rotate/confirm': { totp: '123456' },
  'post /me/unlock': {},
  'post /me/challenges/{id}/answer': { decision: 'approve', number: '07', signature: SIGNATURE },
  'put /recipients': { handle: 'user-4711', phone: '+998901234567', locale: 'uz' },
  'put /recipients/{id}/preferences': {
    categories: { marketing: false },
    quiet_hours: { from: '22:00', to: '08:00' },
    time_zone: 'Asia/Tashkent',
  },
  'post /recipients/{id}/preferences/link': {},
  'patch /projects/{id}': { settings: { sends_per_hour: 6, locale: 'ru' } },
  'post /projects/{id}/templates/preview': {
    settings: {
      templates: { ru: '{project}: код {code}, {minutes} мин.' },
      sms_web_origin: 'shop.example',
    },
    payment: { amount: '15000000', currency: 'UZS', payee: 'Korzinka' },
    to: '+998901234567',
  },
  'post /projects/{id}/keys': { name: 'checkout', scopes: ['otp', 'jobs'] },
  'patch /projects/{id}/keys/{keyId}': { allowed_origins: ['https://shop.example'] },
  'post /api/withdraw': { amount: '15000000', destination_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21' },
  'post /api/profile/destinations': { return_to: 'https://app.example/cards' },
  'post /api/traffic/start': { installation_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b23' },
  'post /api/traffic/report': {
    session_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b24',
    reports: [
      { seq: 0, measured_at: '2026-01-15T10:01:00.000Z', bytes_up: 1_000_000, bytes_down: 39_000_000 },
    ],
  },
  'post /api/traffic/days/{session_id}/{day}/appeal': { text: 'I was at home, on my own line.' },
  'post /api/admin/appeals/{id}/answer': {
    outcome: 'overturned',
    answer: 'The address is one of your provider’s.',
  },
  'post /api/admin/traffic/days/{session_id}/{day}/decide': {
    verdict: 'pay',
    reason: 'A home of this provider',
  },
  'post /api/admin/traffic/days/{session_id}/{day}/take-back': { reason: 'A gateway was wrong' },
  'post /api/gateway/reports': {
    reports: [
      {
        session_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b24',
        seq: 0,
        measured_at: '2026-01-15T10:01:00.000Z',
        bytes_up: 1_000_000,
        bytes_down: 38_500_000,
      },
    ],
  },
  'patch /api/profile': { name: 'Aziza', language: 'uz' },
  'post /api/admin/users/{id}/block': { reason: 'Case 4711: three phones of one address' },
  'post /api/admin/users/{id}/unblock': { reason: 'Case 4711: they are three people' },
  'post /api/admin/daily_price': { day: '2026-01-16', tiyin_per_mb: 150 },
  'post /api/support': {
    subject: 'Unpaid megabytes',
    text: 'Why was I not paid for 40 MB of yesterday?',
    locale: 'en',
  },
  'post /api/support/{id}/reply': { text: 'Thank you, I see it now.' },
  'post /api/admin/support/{id}/answer': {
    text: 'They came from an address of a data centre. You can appeal.',
    close: false,
  },
  'post /api/admin/news': { words: NEWS },
  'put /api/admin/news/{id}': { words: NEWS, category: 'service' },
  'post /api/news/promo': { code: 'WELCOME26' },
  'post /api/admin/promo': {
    code: 'WELCOME26',
    amount: '500000',
    uses_max: 100,
    valid_to: '2026-12-31T19:00:00.000Z',
  },
  'post /payouts': PAYOUT,
  'post /payouts/batches': {
    payouts: [PAYOUT, { ...PAYOUT, phone: '+998901234568', reference: 'invoice-4712' }],
  },
  'post /finance/differences/{id}/note': { note: 'A charge of the bank’s own.' },
  'post /finance/differences/{id}/close': { note: 'A charge of the bank’s own.' },
  'post /staff/sessions': { email: 'payroll@example.com', password: 'a horse, a battery and a staple' },
  'post /staff/sessions/second-factor': { code: '123456' },
  'post /staff/proofs/options': { binds: PASSKEY_REMOVAL },
  'post /staff/proofs': { code: '123456', binds: PASSKEY_REMOVAL },
  'post /staff/passkeys': {
    name: 'Phone',
    registration: {
      id: 'x2VtLrnJkzpQ0sW7bq3Y5g',
      rawId: 'x2VtLrnJkzpQ0sW7bq3Y5g',
      type: 'public-key',
      response: {
        clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0',
        attestationObject: 'o2NmbXRkbm9uZQ',
      },
    },
    proof_id: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b22',
  },
  'post /finance/batches': { rail: 'multicard', name: 'Drivers, November' },
  'post /finance/batches/{id}/items': { filter: { source: 'withdrawal', amount_max: '100000000' } },
  'post /finance/batches/{id}/withdraw': { reason: 'Two lines are missing' },
  'post /finance/batches/{id}/reject': { reason: 'Line 7 pays a card that another payee has bound' },
  'post /finance/batches/{id}/approve': {
    hash: '6f1c0b7d2e9a4f3856c1d0e7b8a9f2435d6e7c8b9a0f1e2d3c4b5a697887a6b5',
    count: 500,
    total: '7500000000',
    proof_id: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b22',
  },
  'post /finance/batches/{id}/run': {},
  'post /finance/batches/{id}/pause': { reason: 'The rail answers slowly' },
  'post /finance/batches/{id}/cancel-rest': { reason: 'The rest is paid tomorrow' },
  'post /finance/payouts/{id}/cancel': { reason: 'The list was imported by mistake' },
  'post /finance/top-ups': {
    project_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21',
    amount: '10000000000',
    reason: 'Payment order 4711 of 29 November',
  },
  'post /finance/wallet-top-ups': {
    rail: 'multicard',
    amount: '10000000000',
    reason: 'Payment order 4712 of 29 November',
  },
  'post /finance/adjustments': {
    of: 'person',
    owner_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21',
    direction: 'up',
    amount: '1500000',
    reason: 'Case 4711: a day was counted twice',
  },
  'post /finance/write-offs': {
    person_id: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21',
    amount: '1500000',
    reason: 'Case 4712: less than it costs to ask for',
  },
  'post /finance/rails/{id}/stop': { reason: 'The rail answers with amounts that are not ours' },
  'post /finance/rails/{id}/open': { reason: 'The rail has mended it: letter 4711' },
  'post /finance/rails/{id}/open/agree': { proof_id: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b22' },
  'post /finance/dispatches/{id}/settle': {
    outcome: 'paid',
    evidence: 'Letter 4711 of the rail, 29 November',
  },
  'post /finance/dispatches/{id}/settle/agree': {
    outcome: 'paid',
    proof_id: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b22',
  },
  'post /finance/statements/{id}/agree': { proof_id: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b22' },
  'post /finance/corrections/{id}/agree': { proof_id: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b22' },
  'post /finance/corrections/{id}/withdraw': { reason: 'Asked for the wrong project' },
  'patch /staff/passkeys/{id}': { name: 'Phone' },
  'post /staff/passkeys/{id}/remove': { proof_id: '0199f5d0-7a10-7b3e-9f52-1c0d7e6a4b22' },
};

/** What a group of operations is for. A new group does not pass the tests until it stands here. */
export const tagWords: Readonly<Record<string, string>> = {
  'One-time codes':
    'Send a code over push, Telegram, Telegram Gateway or SMS, check it, and read what became of it.',
  'Phone API':
    'The same in two calls for an app with a publishable key: send to a phone, check, get a token.',
  'Telegram registration': 'Register people by their Telegram account and prove their phone.',
  'Sign-in': 'Sign people in by a code, an approval, Telegram or a bound device; their sessions.',
  Messages: 'Telegram messages and pushes to one recipient or to ten thousand, and how far they are.',
  Webhooks: 'Endpoints that hear what happened, what was sent to them, and how to send it again.',
  Devices: "Bind people's devices and authenticator apps; what a person does with them.",
  Approvals: 'What a device is asked to approve, and its signed answer.',
  Jobs: 'Every piece of work with its attempts: the record of what was done and why it ended.',
  Recipients: "The project's own handles to people: phone, Telegram chat, push token, language.",
  Projects: 'Settings, limits and usage of the project.',
  Keys: 'API keys: make, list and revoke them.',
  'Staff sessions':
    'Log in with a password and a second factor; what is logged in as you, and how to end it.',
  'Staff proofs': 'Approve one thing with the second factor: what is bound, and nothing else.',
  'Staff passkeys': 'Passkeys (WebAuthn), as a second factor and for proofs, beside the authenticator app.',
  Money: 'What a person earned: their balance, their cards, and how they withdraw it.',
  Traffic: 'Share traffic: sessions, what the phone counted of them, and what each day earns.',
  Gateways: 'What gateways carried: the other count of the same traffic.',
  Prices: 'What a MB earns on a day.',
  'Traffic reviews':
    'Days that rules did not simply pay: appeals, decisions, and what the address filter changed.',
  'Live updates': 'What a person earns, as it changes: server-sent events, and a WebSocket.',
  Support: 'What people ask of support, and what they are answered.',
  News: 'What people are told, and promo codes, which they redeem for money.',
  Dashboard: 'What the first page of an app shows of a person’s earning.',
  Statistics: 'A person’s own traffic by days, installations and countries.',
  Profile: 'What a person is called, and in which language they are written to.',
  People: 'People who earn, for staff: figures, one person, and blocks.',
  Payouts: 'A project’s own payouts, out of what it has paid in.',
  Finance: 'What waits for whom; the accounts of the ledger, and their statements.',
  'Payout batches':
    'Payouts are grouped, submitted, approved by another person, run and closed. Each change names the version that was read.',
  'Finance payouts': 'All payouts, whoever asked for them.',
  Rails: 'The switches of the rails, and payments of which nobody could learn the end.',
  Corrections: 'Top-ups, adjustments and write-offs: one person asks, another agrees with a proof.',
  Reconciliation: 'What rails say that they paid, what of it does not fit, and the files for a bank.',
  Health: 'For orchestrators: is the process alive, and ready.',
};

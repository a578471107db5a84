import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Html, html } from './html.ts';
import type { Answer } from './http.ts';
import type { Channel, Message, SmsProvider } from './message.ts';
import { SCRIPT, STYLE } from './page-assets.ts';
import type { Said } from './people.ts';

/** A page shows the newest 200 conversations and the last 100 messages of one: more than anybody scrolls through. */
const CONVERSATIONS_MAX = 200;
const MESSAGES_MAX = 100;
const FACE_LETTERS = 2;

const NAMES: Record<Channel, string> = {
  sms: 'SMS',
  telegram: 'Telegram',
  'telegram-gateway': 'Telegram code',
  push: 'Push',
};

/** Twilio is the plain one. */
const SMS_NAMES: Partial<Record<SmsProvider, string>> = { eskiz: 'Eskiz', 'play-mobile': 'Play Mobile' };

export interface InboxView {
  /** All that is remembered, newest last. */
  messages: readonly Message[];
  /** The conversation that is open. */
  open: string | undefined;
  /** What the person wrote in it. */
  said: readonly Said[];
  /** The version that the browser has. */
  etag: string | undefined;
  /** True for a page that refreshes itself: it has style and script already, and its policy would refuse others. */
  partsOnly: boolean;
}

/** The inbox as a page; 304 without a body when the browser has it already. */
export function inboxPage(view: InboxView): Answer {
  const body = phone(view);
  const etag = `"${createHash('sha256').update(body.markup).digest('base64url')}"`;
  if (view.etag === etag) return { status: 304, headers: { etag, 'cache-control': 'no-store' }, body: '' };
  const nonce = randomBytes(16).toString('base64');
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(nonce),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      etag,
    },
    body: view.partsOnly
      ? body.markup
      : documentOf({ body, etag, nonce, isOpen: view.open !== undefined }).markup,
  };
}

/** Nothing from elsewhere, nothing inline but what carries this answer's nonce. */
function policyOf(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function documentOf({
  body,
  etag,
  nonce,
  isOpen,
}: {
  body: Html;
  etag: string;
  nonce: string;
  isOpen: boolean;
}): Html {
  // Style and script are our own constants, and must not be escaped.
  const [style, script] = [new Html(STYLE), new Html(SCRIPT)];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Inbox · Navbat sandbox</title>
        <link rel="icon" href="data:," />
        <style nonce="${nonce}">
          ${style}
        </style>
      </head>
      <body data-version="${etag}">
        <div class="phone ${isOpen ? 'open' : 'closed'}">${body}</div>
        <script nonce="${nonce}">
          ${script};
        </script>
      </body>
    </html>`;
}

function phone({ messages, open, said }: InboxView): Html {
  return html`${conversationList(messages, open)}${open === undefined ? nothingOpen(messages) : talk(open, messages, said)}`;
}

function conversationList(messages: readonly Message[], open: string | undefined): Html {
  const newest = new Map(messages.map((message) => [message.to, message]));
  // A key keeps its first place in a Map; what counts here is the last message.
  const rows = [...newest.values()]
    .toSorted((a, b) => Number(b.id) - Number(a.id))
    .slice(0, CONVERSATIONS_MAX);
  return html`<nav class="list" aria-label="Conversations">
    <header>
      <h1>Messages</h1>
      <span class="spread" id="count">${messages.length} received</span>
    </header>
    <div class="scroll" id="conversations">${rows.map((message) => row(message, message.to === open))}</div>
  </nav>`;
}

function row(message: Message, isOpen: boolean): Html {
  const current = isOpen ? html` aria-current="true"` : undefined;
  return html`<a class="row" href="/inbox?to=${encodeURIComponent(message.to)}" ${current}>
    <span class="face ${message.channel}">${faceOf(message)}</span>
    <span class="who">${nameOf(message.to, message.channel)}</span>
    <time data-short datetime="${message.received_at}">${message.received_at.slice(11, 16)}</time>
    <span class="last"
      >${badge(message)}<span>${message.status === 'deleted' ? 'Message deleted' : message.text}</span></span
    >
  </a>`;
}

function nothingOpen(messages: readonly Message[]): Html {
  const hint =
    messages.length > 0
      ? html`<p>Choose a conversation.</p>`
      : html`<p>No message yet.</p>
          <p>
            Whatever is sent through Twilio, Telegram or Firebase on this machine arrives here instead of at a
            person.
          </p>`;
  return html`<main class="talk"><div class="empty" id="hint">${hint}</div></main>`;
}

function talk(to: string, messages: readonly Message[], said: readonly Said[]): Html {
  const received = messages.filter((message) => message.to === to).slice(-MESSAGES_MAX);
  const channel = received.at(-1)?.channel;
  const spoken = [
    ...received.map((message) => ({ at: message.received_at, bubble: bubble(message) })),
    ...said.map((own) => ({ at: own.at, bubble: ownBubble(own) })),
  ].toSorted((a, b) => a.at.localeCompare(b.at));
  return html`<main class="talk">
    <header>
      <a class="back" href="/inbox" aria-label="Back">‹</a>
      <h2>${nameOf(to, channel)}</h2>
    </header>
    <div class="scroll" id="talk-scroll">
      <div class="bubbles" id="bubbles">${spoken.map((one) => one.bubble)}</div>
    </div>
    ${channel === 'telegram' && sayForm(to)}
  </main>`;
}

function bubble(message: Message): Html {
  const gone = message.status === 'deleted' || message.status === 'revoked';
  const state = stateOf(message);
  return html`<article class="message${gone && ' gone'}${!gone && message.fate !== 'delivered' && ' lost'}">
    <div class="meta">
      ${badge(message)}<span>${senderOf(message)}</span
      ><time datetime="${message.received_at}">${message.received_at.slice(11, 16)}</time
      ><span class="state">${state}</span>
    </div>
    <div class="bubble">${gone ? 'This message was deleted.' : withCodes(message.text)}</div>
    ${!gone && keyboard(message)}
  </article>`;
}

function ownBubble({ text, at }: Said): Html {
  return html`<article class="message mine">
    <div class="bubble">${text}</div>
    <div class="meta"><time datetime="${at}">${at.slice(11, 16)}</time></div>
  </article>`;
}

function stateOf(message: Message): string {
  if (message.fate === 'lost') return 'never arrived';
  if (message.fate === 'undelivered')
    return `not delivered${message.error_code === undefined ? '' : ` (${message.error_code})`}`;
  if (message.details['edited_at'] !== undefined) return 'edited';
  // Telegram's bots and FCM are told of no delivery, so that it would say nothing.
  return message.channel === 'telegram' || message.channel === 'push' ? '' : message.status;
}

/** What a person would type or copy stands out: a run of four to eight digits. */
function withCodes(text: string): Html[] {
  return text
    .split(/(?<![\d.,+])(\d{4,8})(?![\d.,]*\d)/)
    .map((part, index) =>
      index % 2 === 1
        ? html`<button type="button" class="code" title="Copy">${part}</button>`
        : html`${part}`,
    );
}

const InlineKeyboard = z.object({
  inline_keyboard: z.array(
    z.array(z.looseObject({ text: z.string(), callback_data: z.string().optional() })),
  ),
});
const ReplyKeyboard = z.object({
  keyboard: z.array(
    z.array(
      z.union([
        z.string().transform((text) => ({ text })),
        z.looseObject({ text: z.string(), request_contact: z.boolean().optional() }),
      ]),
    ),
  ),
});

/** The buttons under a Telegram message, each a form of its own. */
function keyboard(message: Message): Html | undefined {
  const markup = message.details['reply_markup'];
  const inline = InlineKeyboard.safeParse(markup);
  const reply = ReplyKeyboard.safeParse(markup);
  const keys = [
    ...(inline.data?.inline_keyboard.flat() ?? []).map(({ text, callback_data }) =>
      key(message, { text, act: 'callback', value: callback_data ?? '' }),
    ),
    ...(reply.data?.keyboard.flat() ?? []).map((button) =>
      key(message, {
        text: button.text,
        act: 'request_contact' in button && button.request_contact ? 'contact' : 'text',
        value: button.text,
      }),
    ),
  ];
  return keys.length === 0 ? undefined : html`<div class="keys">${keys}</div>`;
}

function key(message: Message, { text, act, value }: { text: string; act: string; value: string }): Html {
  return html`<form method="post" action="/telegram/say">
    <input type="hidden" name="bot" value="${message.from}" /><input
      type="hidden"
      name="chat_id"
      value="${message.to}"
    />
    <input type="hidden" name="message_id" value="${message.provider_reference}" /><input
      type="hidden"
      name="value"
      value="${value}"
    />
    <button name="act" value="${act}">${text}</button>
  </form>`;
}

function sayForm(to: string): Html {
  return html`<form class="say" method="post" action="/telegram/say">
    <input type="hidden" name="chat_id" value="${to}" />
    <input
      type="text"
      name="value"
      aria-label="Answer"
      placeholder="Write to the bot"
      autocomplete="off"
      required
    />
    <button name="act" value="text">Send</button>
  </form>`;
}

function badge({ channel, provider }: Message): Html {
  const by = provider && SMS_NAMES[provider];
  return html`<span class="badge ${channel}">${NAMES[channel]}${by && ` · ${by}`}</span>`;
}

function senderOf({ channel, from }: Message): string {
  return channel === 'telegram' ? `bot ${from}` : from;
}

function faceOf({ channel, to }: Message): string {
  return channel === 'push' ? '●' : to.slice(-FACE_LETTERS);
}

/** A phone number in groups; a push token by its ends, since only they tell one from another. */
function nameOf(to: string, channel: Channel | undefined): string {
  const uzbek = /^\+998(\d\d)(\d{3})(\d\d)(\d\d)$/.exec(to);
  if (uzbek) return `+998 ${uzbek.slice(1).join(' ')}`;
  if (channel === 'telegram') return `Chat ${to}`;
  return to.length > 28 ? `${to.slice(0, 12)}…${to.slice(-8)}` : to;
}

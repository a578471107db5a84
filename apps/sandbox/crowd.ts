import { z } from 'zod';
import { plainWords } from '../../domain/shared/schema-words.ts';
import { type Answer, type Fields, json, unfit } from './http.ts';
import type { Message } from './message.ts';
import type { People } from './people.ts';
import type { World } from './world.ts';

/** As many as a list of finance may have. */
const PEOPLE_MAX = 10_000;
/** At a time: a code is good for a minute, and the bot shall have sent each long before. */
const AT_ONCE = 8;
/** A code is typed within it, or it is the next one's turn. */
const JOIN_MS_MAX = 60_000;
/** A bot that sends no code in three minutes is not there, or refuses this person. */
const JOIN_TRIES_MAX = 3;
/** Nobody answers before the bot's own call has ended. */
const ANSWER_MS = 50;
/** Whom a bot asks more often will not join. */
const CONTACTS_MAX = 3;
const PRESS_TRIES_MAX = 3;
const PHONE = /^\+998\d{9}$/;
const CODE = /(?<!\d)\d{6}(?!\d)/;
const LINK = /https?:\/\/\S+/g;

/** `PUT /telegram/people`: more people, or what all of them do from now on. */
const CrowdOrder = z
  .strictObject({
    /** The phones that follow it in a row are the others'. */
    first_phone: z.string().regex(PHONE, 'expected a phone such as +998901000001').optional(),
    count: z.int().min(1).max(PEOPLE_MAX).optional(),
    /** They press the button of each page whose address, in a message to them, begins so; null presses none. */
    presses: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .optional(),
  })
  .refine(({ first_phone, count }) => (first_phone === undefined) === (count === undefined), {
    message: 'expected with first_phone, and not alone',
    path: ['count'],
  });

interface Member {
  readonly chatId: number;
  readonly phone: string;
  hasTyped: boolean;
  /** How often the contact is still shared. */
  contactsLeft: number;
  /** Ends the wait for the code. */
  joined: () => void;
}

/** People who join the bot by themselves: they write `/start`, share their contact, type the code, and press buttons. Gone after a restart. */
export class Crowd {
  readonly #world: World;
  readonly #people: People;
  readonly #members = new Map<string, Member>();
  readonly #pressed = new Map<string, 'waits' | 'answered' | 'refused'>();
  #waiting: (() => Promise<void>)[] = [];
  #busy = 0;
  #presses: string | null = null;

  constructor(world: World, people: People) {
    this.#world = world;
    this.#people = people;
    world.inbox.onMessage((message) => this.#hear(message));
  }

  /** The same people again change nothing. */
  order(fields: unknown): Answer {
    const order = CrowdOrder.safeParse(fields, { error: plainWords });
    if (!order.success) return unfit(order.error);
    const { first_phone: first, count = 0, presses } = order.data;
    for (let i = 0; i < count; i += 1) this.#invite(`+${BigInt(first?.slice(1) ?? 0) + BigInt(i)}`);
    if (presses !== undefined) this.#presses = presses;
    for (const to of this.#members.keys())
      for (const message of this.#world.inbox.list({ to })) this.#pressLinks(message);
    return this.report();
  }

  report(): Answer {
    const pressed = [...this.#pressed.values()];
    return json(200, {
      people: this.#members.size,
      joined: [...this.#members.values()].filter(({ hasTyped }) => hasTyped).length,
      pressed: pressed.filter((one) => one === 'answered').length,
      refused: pressed.filter((one) => one === 'refused').length,
      waiting: this.#waiting.length + this.#busy,
    });
  }

  #invite(phone: string): void {
    const chatId = Number(phone.slice('+998'.length));
    if (this.#members.has(String(chatId))) return;
    const member: Member = { chatId, phone, hasTyped: false, contactsLeft: CONTACTS_MAX, joined: () => {} };
    this.#members.set(String(chatId), member);
    this.#enqueue(() => this.#join(member, JOIN_TRIES_MAX));
  }

  /** Who was sent no code in time begins again, behind the others. */
  #join(member: Member, triesLeft: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#world.timers.after(JOIN_MS_MAX, () => {
        if (triesLeft > 1) this.#enqueue(() => this.#join(member, triesLeft - 1));
        resolve();
      });
      member.joined = () => (stop(), resolve());
      this.#act(member, { text: '/start' });
    });
  }

  #hear(message: Message): void {
    const member = message.channel === 'telegram' ? this.#members.get(message.to) : undefined;
    if (member) this.#world.timers.after(ANSWER_MS, () => this.#answer(message, member));
  }

  #answer(message: Message, member: Member): void {
    this.#pressLinks(message);
    // Asked again after a code: it was too late for the bot.
    if (asksForContact(message) && member.contactsLeft > 0) {
      member.contactsLeft -= 1;
      member.hasTyped = false;
      return this.#act(member, { contact: { phone_number: member.phone } });
    }
    if (member.hasTyped) return;
    const code = CODE.exec(message.text)?.[0];
    if (code === undefined) return;
    member.hasTyped = true;
    this.#act(member, { text: code });
    member.joined();
  }

  #act({ chatId }: Member, action: Fields): void {
    const { status } = this.#people.act({ chat_id: chatId, language_code: 'uz', ...action });
    if (status !== 201) this.#world.log.warn({ chat: chatId, status }, 'no bot heard a person');
  }

  #pressLinks({ text }: Message): void {
    const prefix = this.#presses;
    if (prefix === null) return;
    for (const url of text.match(LINK) ?? []) {
      if (!url.startsWith(prefix) || this.#pressed.has(url)) continue;
      this.#pressed.set(url, 'waits');
      this.#enqueue(() => this.#press(url));
    }
  }

  async #press(url: string): Promise<void> {
    const isAnswered = await this.#world.caller.deliver({
      url,
      compose: () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' }),
      accepts: (status) => status < 400,
      triesMax: PRESS_TRIES_MAX,
      pauseMs: this.#world.timing.callbackPauseMs,
    });
    this.#pressed.set(url, isAnswered ? 'answered' : 'refused');
  }

  #enqueue(task: () => Promise<void>): void {
    this.#waiting.push(task);
    this.#next();
  }

  #next(): void {
    while (this.#busy < AT_ONCE) {
      const task = this.#waiting.shift();
      if (!task) return;
      this.#busy += 1;
      void task().finally(() => {
        this.#busy -= 1;
        this.#next();
      });
    }
  }
}

const Keyboard = z.looseObject({
  keyboard: z.array(z.array(z.looseObject({ request_contact: z.boolean().optional() }))),
});

function asksForContact({ details }: Message): boolean {
  const markup = Keyboard.safeParse(details['reply_markup']);
  return markup.success && markup.data.keyboard.flat().some((button) => button.request_contact === true);
}

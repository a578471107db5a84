import type { Caller } from '../../caller.ts';
import { randomFrom } from '../../random.ts';
import { boundCard, nameOf, pinflOf } from './cards.ts';
import { type Desk, divided } from './desk.ts';
import { bindingModel } from './models.ts';
import type { Binding, Rail } from './rail.ts';

const CALLBACK_TRIES_MAX = 6;
const CALLBACK_PAUSE_MS = 200;
const ANY_PHONE = '998900000000';

/** What somebody does at the card form. What is left out is as the person of that phone has it. */
export interface FormAction {
  readonly decline?: boolean | undefined;
  readonly pan?: string | undefined;
  readonly phone?: string | undefined;
  readonly pinfl?: string | undefined;
  readonly holderName?: string | undefined;
}

/** The simulated people in front of the card form. */
export class People {
  readonly #desk: Desk;
  readonly #caller: Caller;
  readonly #random: () => number;

  constructor(desk: Desk, caller: Caller) {
    this.#desk = desk;
    this.#caller = caller;
    this.#random = randomFrom(desk.rail.settings.seed);
  }

  /** Somebody has opened a form: one of them answers by themselves, where there is one left. */
  meet({ session }: Binding): void {
    const { rail, timers } = this.#desk;
    if (rail.peopleLeft <= 0) return;
    rail.peopleLeft -= 1;
    const { people_decline_share: declines, people_other_name_share: others } = rail.settings;
    const action: FormAction = {
      decline: this.#random() < declines,
      ...(this.#random() < others && { holderName: nameOf(`other ${session}`) }),
    };
    timers.after(divided(rail, rail.settings.people_after_ms), () => void this.answer(session, action));
  }

  /** Types a card, or gives up. @returns where the browser goes next; undefined where no such form is open. */
  async answer(session: string, action: FormAction): Promise<string | undefined> {
    const { rail, clock } = this.#desk;
    const binding = rail.binding(session);
    if (!binding || binding.card || binding.declined) return undefined;
    const phone = action.phone ?? binding.phone ?? ANY_PHONE;
    // A card of another phone than was asked for is not taken.
    if (action.decline || (binding.phone !== null && phone !== binding.phone)) {
      rail.commit({ t: 'declined', session });
      await rail.flushed();
      return binding.declineUrl;
    }
    rail.commit(boundCard(session, { pan: action.pan, ...holderOf(rail, phone, action) }, clock().getTime()));
    await rail.flushed();
    void this.#call(binding);
    return binding.redirectUrl;
  }

  /** Posts the card to whoever asked for the form. The browser does not wait for it. */
  async #call(binding: Binding): Promise<void> {
    const { callbackUrl: url } = binding;
    if (url === null) return;
    await this.#caller.deliver({
      url,
      compose: () => ({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(bindingModel(binding)),
      }),
      accepts: (status) => status >= 200 && status < 300,
      triesMax: CALLBACK_TRIES_MAX,
      pauseMs: divided(this.#desk.rail, CALLBACK_PAUSE_MS),
    });
  }
}

function holderOf(rail: Rail, phone: string, action: FormAction) {
  const known = rail.person(phone);
  return {
    phone,
    pinfl: action.pinfl ?? known?.pinfl ?? pinflOf(phone),
    holderName: action.holderName ?? known?.holderName ?? nameOf(phone),
  };
}

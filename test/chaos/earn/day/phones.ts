import { randomUUID } from 'node:crypto';
import type { TrafficGateway } from '../../../../apps/sandbox/earn/traffic/gateway.ts';
import {
  type PhoneLine,
  type PhoneReport,
  SharingPhone,
} from '../../../../apps/sandbox/earn/traffic/phone.ts';
import type { Dice } from '../../support/dice.ts';
import type { Manner, PhoneManner } from './manners.ts';
import type { Earner } from './people.ts';

export interface DayPhoneOptions {
  readonly earner: Earner;
  readonly manner: Manner;
  /** In each step. */
  readonly reports: number;
  /** Null: its traffic goes through nobody's gateway. */
  readonly gateway: TrafficGateway | null;
  readonly urls: readonly string[];
  readonly now: () => Date;
  readonly dice: Dice;
  readonly log: (line: PhoneLine) => void;
}

/** Of one report: 20 MB in a minute is what a phone in use has. */
const BYTES_MAX = 20_000_000;
const SLEEP_STEPS = 8;
const SPLIT_IN = 4;
/** A lie, a repetition or a death in one step of so many. */
const EVERY = 5;
const HOUR_MS = 3_600_000;
/** Longer than any outage of a run. */
const PATIENCE_MS = 90_000;
const JUMP_BYTES = 2_000_000_000_000;

/** A person's phone over a day, which lies as its manner says. */
export class DayPhone {
  readonly manner: Manner;
  readonly earner: Earner;
  readonly phone: SharingPhone;
  readonly #options: DayPhoneOptions;
  #address = 0;
  /** What went through, whatever it says. */
  carried = 0n;

  constructor(options: DayPhoneOptions) {
    const { earner, manner, urls, now, log } = options;
    this.#options = options;
    this.manner = manner;
    this.earner = earner;
    this.phone = new SharingPhone({
      installation: randomUUID(),
      now,
      log,
      api: { urls, token: earner.token, patienceMs: PATIENCE_MS, from: () => this.#from() },
    });
    this.#address = options.dice.whole(1, 60_000);
  }

  #from(): string {
    return `10.${this.#address >> 8}.${this.#address & 255}.7`;
  }

  async start(): Promise<void> {
    const { status } = await this.phone.start();
    if (status !== 201 && status !== 409) throw new Error(`a session was refused with ${status}`);
  }

  /** So much went through since the last step: reports at these times, the last of them now. */
  count(times: readonly Date[]): void {
    const { dice, gateway } = this.#options;
    for (const at of times) {
      const [up, down] = [dice.whole(0, BYTES_MAX / 10), dice.whole(1, BYTES_MAX)];
      const claims = this.manner.phone === 'lies: three times as much' ? 3 : 1;
      this.carried += BigInt(up + down);
      gateway?.carry(this.phone.session, up, down, at);
      this.phone.count(up * claims, down * claims, at);
    }
  }

  /** Sends what it has counted, as its manner is. */
  async share(step: number, isLast: boolean, neighbour: DayPhone): Promise<void> {
    const { phone } = this;
    const isNow = step % EVERY === this.#options.dice.whole(0, EVERY - 1) && !isLast;
    const ways: Partial<Record<PhoneManner, () => Promise<unknown>>> = {
      sleeps: async () => (step % SLEEP_STEPS === SLEEP_STEPS - 1 || isLast ? phone.send() : null),
      splits: () => phone.send(Math.ceil(this.#options.reports / SPLIT_IN)),
      repeats: async () => {
        await phone.send();
        // A person may ask 120 times a minute.
        if (step % 2 === 0) await phone.repeat();
      },
      roams: () => {
        this.#address = this.#options.dice.whole(1, 60_000);
        return phone.send();
      },
      'is killed': async () => {
        if (isNow && step > 0) await phone.kill();
        await phone.send();
      },
      'lies: after the close': async () => undefined,
      "lies: another's session": async () => {
        await phone.send();
        if (isNow) await phone.say([this.#also({ bytes_down: BYTES_MAX })], neighbour.phone.session);
      },
    };
    const way = ways[this.manner.phone];
    if (way) await way();
    else {
      await phone.send();
      if (isNow) await this.#lies()[this.manner.phone]?.();
    }
  }

  #lies(): Partial<Record<PhoneManner, () => Promise<unknown>>> {
    const { phone } = this;
    const hours = (by: number) => new Date(this.#options.now().getTime() + by * HOUR_MS).toISOString();
    const say = (other: Partial<PhoneReport>) => phone.say([this.#also(other)]);
    return {
      'lies: counter back': () => say({ bytes_up: 0, bytes_down: 1 }),
      'lies: counter jumps': () => say({ bytes_down: JUMP_BYTES }),
      'lies: clock ahead': () => say({ measured_at: hours(2), bytes_down: 2 * phone.bytes }),
      'lies: before the session': () => say({ measured_at: hours(-25), bytes_down: 2 * phone.bytes }),
      'lies: a number twice': async () => {
        const report = this.#also({});
        await phone.say([report]);
        await phone.say([{ ...report, bytes_down: report.bytes_down + BYTES_MAX }]);
      },
    };
  }

  /** A report besides, of what it has counted by now, but for what is said otherwise. */
  #also(other: Partial<PhoneReport>): PhoneReport {
    const { phone } = this;
    return {
      seq: phone.nextSeq(),
      measured_at: this.#options.now().toISOString(),
      bytes_up: phone.up,
      bytes_down: phone.down,
      ...other,
    };
  }

  /** What it kept to itself until the days were closed. */
  async shareLate(): Promise<void> {
    if (this.manner.phone === 'lies: after the close') await this.phone.send();
  }
}

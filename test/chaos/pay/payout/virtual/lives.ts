import type { JobStore } from '../../../../../domain/job/store.ts';
import type { Wake, Woken } from '../../../../../domain/job/wake.ts';
import type { Dispatches, MoveOrder } from '../../../../../domain/pay/dispatch/port.ts';
import type { CardRail } from '../../../../../domain/pay/rail/port.ts';
import type { JobId } from '../../../../../domain/shared/ids.ts';
import { type PayoutDeps, payoutWake } from '../../../../../workers/pay/payout.ts';
import { places } from '../../../../../workers/pay/places.ts';
import type { Dice } from '../../../support/dice.ts';
import type { VirtualClock } from './clock.ts';
import type { Tally } from '../tally.ts';

/** What a wake-up came to, as the one who holds the queue sees it. `blocked`: it waits until others have ended. */
export type Lived =
  | { readonly kind: 'woken'; readonly woken: Woken; readonly isBlocked: boolean }
  | { readonly kind: 'gone' };

export interface World {
  readonly clock: VirtualClock;
  readonly crashes: Tally;
  readonly freezes: Tally;
  readonly lostAnswers: Tally;
  /** Chance of each, at each place: in front of each commit and each call, and behind it. */
  readonly shares: { readonly kill: number; readonly freeze: number; readonly lostAnswer: number };
  readonly port: CardRail;
  /** Of the frozen, who go on by themselves. */
  readonly living: Set<Promise<unknown>>;
  readonly onBug: (error: unknown) => void;
}

/** Shorter than a call's leave, longer than it, longer than a call is believed alive. */
const FREEZES_MS = [300, 3_000, 20_000, 400_000] as const;
const never = new Promise<never>(() => undefined);

/** One worker's batchers, which its wake-ups share. */
export interface WorkerPorts {
  readonly dispatches: Dispatches;
  readonly store: Pick<JobStore, 'finish' | 'postpone'>;
}

/** One wake-up in a process that may die or stand still between any two of its steps. What it has committed stays, and nothing else. */
export async function live(world: World, ports: WorkerPorts, id: JobId, dice: Dice): Promise<Lived> {
  const life = new Life(world, dice);
  const wake: Wake = payoutWake(life.deps(ports));
  const lived = wake(id, new AbortController().signal).then(
    (woken): Lived => ({ kind: 'woken', woken, isBlocked: life.isBlocked }),
    // Its queue comes back with it.
    (): Lived => ({ kind: 'gone' }),
  );
  void lived.then(() => life.stands.resolve());
  return Promise.race([lived, life.left.promise.then((): Lived => ({ kind: 'gone' }))]);
}

class Life {
  readonly left = Promise.withResolvers<void>();
  /** Until it ends or stands still again. */
  stands = Promise.withResolvers<void>();
  isBlocked = false;
  #isDead = false;
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  deps({ dispatches, store }: WorkerPorts): PayoutDeps {
    const { clock, port, onBug } = this.#world;
    const claim: Dispatches['claim'] = async (claim) => {
      const claimed = await dispatches.claim(claim);
      this.isBlocked = claimed.kind === 'later';
      return claimed;
    };
    return {
      now: clock.now,
      // Those of a process that died are free again.
      places: places(1),
      dispatches: {
        read: this.#step('read', (id: JobId) => dispatches.read(id)),
        claim: this.#step('claim', claim),
        move: this.#step('move', (order: MoveOrder) => dispatches.move(order)),
      },
      store: {
        finish: this.#step('finish', (...args: Parameters<typeof store.finish>) => store.finish(...args)),
        postpone: this.#step('postpone', (...args: Parameters<typeof store.postpone>) =>
          store.postpone(...args),
        ),
      },
      rail: {
        ...port,
        draft: this.#step('draft', (...args: Parameters<CardRail['draft']>) => port.draft(...args), false),
        confirm: this.#step(
          'confirm',
          (...args: Parameters<CardRail['confirm']>) => port.confirm(...args),
          false,
        ),
        read: this.#step('ask', (...args: Parameters<CardRail['read']>) => port.read(...args), false),
        find: this.#step('search', (...args: Parameters<CardRail['find']>) => port.find(...args), false),
      },
      onCall: () => undefined,
      onMoved: () => undefined,
      onFinished: () => undefined,
      onBug,
    };
  }

  #step<Args extends readonly unknown[], Out>(
    name: string,
    run: (...args: Args) => Promise<Out>,
    mayLose = true,
  ): (...args: Args) => Promise<Out> {
    return async (...args) => {
      // In front of a call that has its leave nobody stands still for long: the last look is right in front of it.
      await this.#pass(`before ${name}`, mayLose);
      const out = await run(...args);
      await this.#pass(`after ${name}`, true);
      if (mayLose && this.#dice.unit() < this.#world.shares.lostAnswer) {
        this.#world.lostAnswers.add(name);
        throw new Error('the connection broke');
      }
      return out;
    };
  }

  async #pass(place: string, mayFreeze: boolean): Promise<void> {
    if (this.#isDead) return never;
    const { shares, crashes, freezes, clock, living } = this.#world;
    const roll = this.#dice.unit();
    if (roll < shares.kill) {
      crashes.add(place);
      this.#isDead = true;
      this.stands.resolve();
      this.left.resolve();
      return never;
    }
    if (!mayFreeze || roll >= shares.kill + shares.freeze) return;
    freezes.add(place);
    this.stands.resolve();
    this.left.resolve();
    await clock.sleepUntil(clock.nowMs + this.#dice.pick(FREEZES_MS));
    this.stands = Promise.withResolvers();
    const awake = this.stands.promise;
    living.add(awake);
    void awake.then(() => living.delete(awake));
  }
}

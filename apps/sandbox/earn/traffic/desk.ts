import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import { plainWords } from '../../../../domain/shared/schema-words.ts';
import { type Answer, json, problem, unfit } from '../../http.ts';
import type { Reply } from './ask.ts';
import { gatewayLies, TrafficGateway } from './gateway.ts';
import { SharingPhone } from './phone.ts';

/** `cheats`: it says three times what it shared. `sleeps`: it catches up, with four reports in one request. `repeats`: each request twice. */
const manners = ['honest', 'cheats', 'sleeps', 'repeats'] as const;
const CHEATS_BY = 3;
const SLEEPS_REPORTS = 4;

/** A phone that streams a film shares so much; a tenth of it goes up. */
const BYTES_PER_SECOND = 500_000;
const BYTES_PER_SECOND_MAX = 40_000_000;
const EVERY_S = 5;
const EVERY_S_MAX = 3_600;
/** Of one sandbox: each has timers of its own. */
const PHONES_MAX = 1_000;
const GATEWAYS_MAX = 100;

const Lie = z.enum(gatewayLies).nullable();

/** `POST /gateways` */
const GatewayOrder = z.strictObject({
  api: z.url({ protocol: /^https?$/ }).optional(),
  key: z.string().min(1),
  lie: Lie.default(null),
});
/** `PUT /gateways/{id}` */
const LieOrder = z.strictObject({ lie: Lie });
/** `POST /phones` */
const PhoneOrder = z.strictObject({
  api: z.url({ protocol: /^https?$/ }).optional(),
  access_token: z.string().min(1),
  gateway_id: z.uuid().nullable().default(null),
  manner: z.enum(manners).default('honest'),
  bytes_per_second: z.int().min(1).max(BYTES_PER_SECOND_MAX).default(BYTES_PER_SECOND),
  report_every_s: z.int().min(1).max(EVERY_S_MAX).default(EVERY_S),
});
type PhoneOrder = z.infer<typeof PhoneOrder>;

interface Running {
  readonly order: PhoneOrder;
  readonly phone: SharingPhone;
  readonly timer: NodeJS.Timeout;
  carried: number;
  counts: number;
  sharedMs: number;
  /** Of the last answer of the api. */
  status: number | null;
  isBusy: boolean;
}

export interface DeskOptions {
  /** Where the api is, where an order does not say. */
  readonly apiUrl: string;
  readonly now: () => Date;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Logger;
}

/** Phones that share their traffic, and gateways that carry it, by the clock of the installation. Gone after a restart. */
export class TrafficDesk {
  readonly #options: DeskOptions;
  readonly #phones = new Map<string, Running>();
  readonly #gateways = new Map<string, TrafficGateway>();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  makeGateway(fields: unknown): Answer {
    const order = GatewayOrder.safeParse(fields, { error: plainWords });
    if (!order.success) return unfit(order.error);
    if (this.#gateways.size >= GATEWAYS_MAX)
      return problem(`There are ${GATEWAYS_MAX} gateways: start the sandbox anew.`, 409);
    const { api = this.#options.apiUrl, key, lie } = order.data;
    const id = randomUUID();
    const { now } = this.#options;
    this.#gateways.set(id, new TrafficGateway({ name: id, api: { urls: [api], token: key }, now, lie }));
    return json(201, { gateway_id: id, lie });
  }

  changeGateway(id: string, fields: unknown): Answer {
    const order = LieOrder.safeParse(fields, { error: plainWords });
    if (!order.success) return unfit(order.error);
    const found = this.#gateways.get(id);
    if (!found) return problem('There is no such gateway: POST /gateways first.', 404);
    found.lie = order.data.lie;
    return json(200, { gateway_id: id, lie: found.lie });
  }

  async startPhone(fields: unknown): Promise<Answer> {
    const order = PhoneOrder.safeParse(fields, { error: plainWords });
    if (!order.success) return unfit(order.error);
    const { api = this.#options.apiUrl, access_token: token, gateway_id, report_every_s } = order.data;
    if (gateway_id !== null && !this.#gateways.has(gateway_id))
      return problem('gateway_id: there is no such gateway: POST /gateways first.', 404);
    if (this.#phones.size >= PHONES_MAX)
      return problem(`There are ${PHONES_MAX} phones: stop one, DELETE /phones/{id}.`, 409);
    const { now } = this.#options;
    const phone = new SharingPhone({ installation: randomUUID(), now, api: { urls: [api], token } });
    const started = await phone.start();
    if (started.status !== 201) return passed(started);
    const id = phone.installation;
    const timer = setInterval(() => void this.#share(id), report_every_s * 1_000);
    this.#phones.set(id, {
      order: order.data,
      phone,
      timer,
      carried: 0,
      counts: 0,
      sharedMs: now().getTime(),
      status: null,
      isBusy: false,
    });
    return json(201, { phone_id: id, session_id: phone.session });
  }

  /** What each has said, and what went through. */
  list(): Answer {
    const data = [...this.#phones].map(([id, { order, phone, carried, status }]) => ({
      phone_id: id,
      session_id: phone.session,
      manner: order.manner,
      bytes_claimed: phone.bytes,
      bytes_carried: carried,
      status,
    }));
    return json(200, { data });
  }

  /** It says what is left, its gateway too, and its session ends: as the api answers that. */
  async stopPhone(id: string): Promise<Answer> {
    const running = this.#phones.get(id);
    if (!running) return problem('There is no such phone: GET /phones.', 404);
    clearInterval(running.timer);
    this.#phones.delete(id);
    await running.phone.send();
    await this.#gatewayOf(running)?.tell();
    return passed(await running.phone.stop());
  }

  close(): void {
    for (const { timer } of this.#phones.values()) clearInterval(timer);
  }

  async #share(id: string): Promise<void> {
    const running = this.#phones.get(id);
    if (!running || running.isBusy) return;
    running.isBusy = true;
    try {
      this.#count(running);
      if (running.order.manner === 'sleeps' && running.counts % SLEEPS_REPORTS !== 0) return;
      const reply = await running.phone.send();
      running.status = reply?.status ?? running.status;
      if (running.order.manner === 'repeats') await running.phone.repeat();
      // In the same moment, so that neither is ahead of the other when they are compared.
      await this.#gatewayOf(running)?.tell();
    } catch (error) {
      this.#options.log.warn({ err: error, phone: id }, 'a phone of the sandbox could not report');
    } finally {
      running.isBusy = false;
    }
  }

  /** Half more or less than it is told. */
  #count(running: Running): void {
    const { order, phone } = running;
    const nowMs = this.#options.now().getTime();
    const seconds = (nowMs - running.sharedMs) / 1_000;
    const bytes = Math.max(0, Math.floor(order.bytes_per_second * seconds * (0.5 + this.#options.random())));
    const [up, down] = [Math.floor(bytes / 10), bytes - Math.floor(bytes / 10)];
    const times = order.manner === 'cheats' ? CHEATS_BY : 1;
    running.sharedMs = nowMs;
    running.carried += bytes;
    running.counts += 1;
    phone.count(up * times, down * times);
    this.#gatewayOf(running)?.carry(phone.session, up, down);
  }

  #gatewayOf({ order }: Running): TrafficGateway | null {
    return (order.gateway_id && this.#gateways.get(order.gateway_id)) || null;
  }
}

/** As the api answered it. */
const passed = ({ status, body }: Reply): Answer => json(status, body);

import { multicardBindingPath } from '../../../domain/pay/rail/callback-paths.ts';
import type {
  BindingForm,
  BindingOrder,
  BoundCard,
  CardRail,
  Draft,
  DraftOrder,
  MayBegin,
  RailPage,
  RailPayment,
  RailPeriod,
  RailReply,
  RailStatus,
} from '../../../domain/pay/rail/port.ts';
import { sameText } from '../../process/crypto.ts';
import { ask, type HttpAnswer, keptAlive, post, put } from '../http.ts';
import { bindingIn, bindingToken, Form } from './multicard-binding.ts';
import { creditBody, listIn, paymentIn } from './multicard-payments.ts';
import { refused, replyOf, unknown, withoutAnswer } from './multicard-replies.ts';
import { type MulticardAccount, MulticardSession } from './multicard-session.ts';
import { railTime } from './multicard-time.ts';
import { walletIn } from './multicard-wallet.ts';
import { noticeIn } from './multicard-webhook.ts';

/** 100 a page. Where they give fewer, the next page begins after those. */
const PAGE = 100;
/** 100 000 payments: the largest batch. A search that needs more has not found out. */
const PAGES_MAX = 1_000;
/** 1 MiB: a page of 100 has about 50 KiB. */
const HISTORY_BYTES_MAX = 1_048_576;
/** 1 h before and after: clocks differ by seconds, and a draft may have hung at their front end. Each payment of that time is read. */
const SEARCH_MARGIN_MS = 3_600_000;
const SECOND_MS = 1_000;

export interface MulticardOptions extends MulticardAccount {
  /** What webhooks are signed with, where it is not `secret`. */
  readonly callbackSecret?: string | undefined;
  /** Where Multicard reaches us, without a path. */
  readonly publicUrl: string;
  readonly clock: () => Date;
}

type Call = (authorization: string) => Promise<HttpAnswer>;

/** Multicard of Uzbekistan: pays Uzcard and Humo (contracts §6). */
export function multicard(options: MulticardOptions): CardRail {
  const client = new Multicard(options);
  const { callbackSecret = options.secret } = options;
  return {
    id: 'multicard',
    draft: (order, signal, mayBegin) => client.draft(order, signal, mayBegin),
    confirm: (uuid, signal, mayBegin) => client.confirm(uuid, signal, mayBegin),
    read: (uuid, signal) => client.read(uuid, signal),
    find: (reference, since, signal) => client.find(reference, since, signal),
    wallet: (signal) => client.get('/payment/application', walletIn, signal),
    history: (period, cursor, signal) => client.history(period, cursor, signal),
    beginBinding: (order, signal) => client.beginBinding(order, signal),
    readBinding: (session, signal) => client.readBinding(session, signal),
    readWebhook: (body) => noticeIn(body, callbackSecret),
    readBindingCallback: (bindingId, token) =>
      sameText(token, bindingToken(options.secret, bindingId))
        ? { kind: 'look', bindingId }
        : { kind: 'forged' },
  };
}

class Multicard {
  readonly #options: MulticardOptions;
  readonly #agent = keptAlive();
  readonly #historyAgent = keptAlive(HISTORY_BYTES_MAX);
  readonly #session: MulticardSession;

  constructor(options: MulticardOptions) {
    this.#options = options;
    this.#session = new MulticardSession(options, this.#agent, options.clock);
  }

  async draft(order: DraftOrder, signal: AbortSignal, mayBegin?: MayBegin): Promise<RailReply<Draft>> {
    const body = creditBody(order, this.#options.storeId);
    const url = this.#session.url('/payment/credit');
    const read = (data: unknown) =>
      onlyIf(
        paymentIn(data),
        (shown) => shown.reference === order.reference && shown.amount === order.amount,
      );
    return this.#call(
      signal,
      read,
      (authorization) => post(this.#agent, { url, headers: { ...JSON_BODY, authorization }, body }, signal),
      mayBegin,
    );
  }

  confirm(uuid: string, signal: AbortSignal, mayBegin?: MayBegin): Promise<RailReply<RailPayment>> {
    const url = this.#creditUrl(uuid);
    return this.#call(
      signal,
      readsOne(uuid),
      (authorization) =>
        put(this.#agent, { url, headers: { ...JSON_BODY, authorization }, body: '{}' }, signal),
      mayBegin,
    );
  }

  read(uuid: string, signal: AbortSignal): Promise<RailReply<RailPayment>> {
    const url = this.#creditUrl(uuid);
    return this.#call(signal, readsOne(uuid), (authorization) =>
      ask(this.#agent, { method: 'GET', url, headers: { authorization } }, signal),
    );
  }

  async find(reference: string, since: Date, signal: AbortSignal): Promise<RailReply<RailPayment | null>> {
    const period = {
      from: new Date(since.getTime() - SEARCH_MARGIN_MS),
      to: new Date(since.getTime() + SEARCH_MARGIN_MS),
    };
    let found: RailPayment | null = null;
    let cursor: string | null = null;
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const page: RailReply<RailPage> = await this.history(period, cursor, signal);
      if (page.kind !== 'answered') return page;
      // Exactly: `…-2` is the start of `…-20`, and the next attempt after `…-1`.
      for (const payment of page.value.payments)
        if (payment.reference === reference) found = further(found, payment);
      cursor = page.value.cursor;
      if (cursor === null) return { kind: 'answered', value: found };
    }
    return unknown('unreadable');
  }

  async history(
    period: RailPeriod,
    cursor: string | null,
    signal: AbortSignal,
  ): Promise<RailReply<RailPage>> {
    const offset = Number(cursor ?? 0);
    const query = new URLSearchParams({
      offset: String(offset),
      limit: String(PAGE),
      start_date: railTime(period.from),
      // Both ends of theirs are in it, and have no parts of a second.
      end_date: railTime(new Date(Math.ceil(period.to.getTime() / SECOND_MS) * SECOND_MS - SECOND_MS)),
    });
    const url = this.#session.url(
      `/payment/store/${this.#options.storeId}/credit-history?${query.toString()}`,
    );
    const pageIn = (data: unknown): RailPage | undefined => {
      const listed = listIn(data);
      if (!listed) return undefined;
      const next = offset + listed.list.length;
      const isLast = listed.list.length === 0 || next >= listed.pagination.total;
      return { payments: listed.list, cursor: isLast ? null : String(next) };
    };
    return this.#call(signal, pageIn, (authorization) =>
      ask(this.#historyAgent, { method: 'GET', url, headers: { authorization } }, signal),
    );
  }

  /**
   * `POST /payment/card/bind` and `GET /payment/card/bind/{session_id}`: known from copies of Multicard's pages, and not read at their
   * source. Nothing else here knows of them.
   */
  beginBinding(order: BindingOrder, signal: AbortSignal): Promise<RailReply<BindingForm>> {
    const { storeId, publicUrl, secret } = this.#options;
    const callback = new URL(`${publicUrl}${multicardBindingPath(order.bindingId)}`);
    callback.searchParams.set('token', bindingToken(secret, order.bindingId));
    const body = JSON.stringify({
      store_id: storeId,
      redirect_url: order.returnTo,
      redirect_decline_url: order.returnTo,
      callback_url: callback.href,
      phone: order.phone.replace('+', ''),
    });
    const url = this.#session.url('/payment/card/bind');
    const read = (data: unknown): BindingForm | undefined => {
      const form = Form.safeParse(data).data;
      return form && { session: form.session_id, formUrl: form.form_url };
    };
    return this.#call(signal, read, (authorization) =>
      post(this.#agent, { url, headers: { ...JSON_BODY, authorization }, body }, signal),
    );
  }

  async readBinding(session: string, signal: AbortSignal): Promise<RailReply<BoundCard | null>> {
    const reply = await this.get(`/payment/card/bind/${encodeURIComponent(session)}`, bindingIn, signal);
    if (reply.kind !== 'answered') return reply;
    return reply.value.isGone
      ? refused('card not in use', 'card')
      : { kind: 'answered', value: reply.value.card };
  }

  get<T>(path: string, read: (data: unknown) => T | undefined, signal: AbortSignal): Promise<RailReply<T>> {
    const url = this.#session.url(path);
    return this.#call(signal, read, (authorization) =>
      ask(this.#agent, { method: 'GET', url, headers: { authorization } }, signal),
    );
  }

  #creditUrl(uuid: string): string {
    return this.#session.url(`/payment/credit/${encodeURIComponent(uuid)}`);
  }

  /** One call, and what its answer means. */
  async #call<T>(
    signal: AbortSignal,
    read: (data: unknown) => T | undefined,
    call: Call,
    mayBegin: MayBegin = () => true,
  ): Promise<RailReply<T>> {
    if (signal.aborted) return unknown('timeout');
    try {
      const answer = await this.#session.withToken(signal, call, mayBegin);
      return 'kind' in answer ? answer : replyOf(answer, read);
    } catch (error) {
      return withoutAnswer(error, signal);
    }
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

/** An answer about another payment is none: it could be confirmed in this one's place. */
const readsOne = (uuid: string) => (data: unknown) => onlyIf(paymentIn(data), (shown) => shown.uuid === uuid);

const onlyIf = <T>(value: T | undefined, fits: (value: T) => boolean): T | undefined =>
  value !== undefined && fits(value) ? value : undefined;

/** From paid to never tried. */
const ranks: Readonly<Record<RailStatus, number>> = {
  success: 5,
  revert: 4,
  billing: 3,
  progress: 2,
  draft: 1,
  error: 0,
};

const further = (one: RailPayment | null, other: RailPayment): RailPayment =>
  one === null || ranks[other.status] > ranks[one.status] ? other : one;

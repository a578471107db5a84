import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isCallbackUrl } from '../../caller.ts';
import { type Answer, type Reply } from '../../http.ts';
import { type Desk, type Outcome, underFault } from './desk.ts';
import { formPage, gonePage } from './form.ts';
import type { Incoming } from './incoming.ts';
import { answered, bindingModel, refused } from './models.ts';
import type { People } from './people.ts';

/** 15 min: so long is a form good for. */
const FORM_MS_MAX = 900_000;
export const FORM_PATH = '/card/';

const Url = z.string().refine(isCallbackUrl);
const Order = z.object({
  redirect_url: Url,
  redirect_decline_url: Url,
  store_id: z.union([z.string(), z.int()]).transform(String),
  callback_url: Url.optional(),
  phone: z
    .string()
    .regex(/^998\d{9}$/)
    .optional(),
});
const Typed = z.object({
  decline: z.string().optional(),
  pan: z
    .string()
    .transform((pan) => pan.replaceAll(/\D/g, ''))
    .pipe(z.string().regex(/^(8600|5614|9860)\d{12}$/))
    .optional(),
  holder_name: z.string().trim().min(1).max(100).optional(),
});

/** `POST /payment/card/bind`: a session, and the form that its holder opens. */
export const bind = (desk: Desk, incoming: Incoming, people: People): Promise<Outcome> =>
  underFault(desk, 'bind', [], () => {
    const order = Order.safeParse(incoming.body).data;
    if (!order || order.store_id !== desk.account.storeId) return refused('ERROR_FIELDS');
    const session = randomBytes(10).toString('hex');
    desk.rail.commit({
      t: 'bind',
      session,
      phone: order.phone ?? null,
      callbackUrl: order.callback_url ?? null,
      redirectUrl: order.redirect_url,
      declineUrl: order.redirect_decline_url,
      beganAt: desk.clock().getTime(),
    });
    const binding = desk.rail.binding(session);
    if (binding) people.meet(binding);
    return answered({ session_id: session, form_url: `${desk.origin()}${FORM_PATH}${session}` });
  });

/** `GET /payment/card/bind/{session_id}`. What is too old and was not finished is not there any more. */
export const readBinding = (desk: Desk, session: string): Promise<Outcome> =>
  underFault(desk, 'bind', [], () => {
    const binding = desk.rail.binding(session);
    const isOver = binding && !binding.card && desk.clock().getTime() - binding.beganAt > FORM_MS_MAX;
    return !binding || isOver ? refused('ERROR_NOT_FOUND') : answered(bindingModel(binding));
  });

/** The form itself, and what is typed there. */
export async function answerForm(desk: Desk, incoming: Incoming, people: People): Promise<Reply> {
  const session = incoming.path.slice(FORM_PATH.length);
  const binding = desk.rail.binding(session);
  if (!binding || binding.card || binding.declined) return gonePage();
  if (incoming.method !== 'POST') return formPage(desk.rail, binding);
  const typed = Typed.safeParse(Object.fromEntries(new URLSearchParams(incoming.text))).data;
  if (!typed || (typed.decline === undefined && typed.pan === undefined))
    return formPage(desk.rail, binding, 'Bunday karta yoʻq. Нет такой карты. No such card.');
  const { decline, pan, holder_name: holderName } = typed;
  const next = await people.answer(session, { decline: decline !== undefined, pan, holderName });
  return next === undefined ? gonePage() : seeOther(next);
}

const seeOther = (location: string): Answer => ({ status: 303, headers: { location }, body: '' });

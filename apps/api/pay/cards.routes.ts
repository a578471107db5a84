import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { finishBinding } from '../../../domain/pay/link/finish-binding.ts';
import type { PersonBindings } from '../../../domain/pay/link/person-bindings.ts';
import type { Destination, Withdrawals } from '../../../domain/pay/payout/withdrawals.ts';
import { DestinationId, RailId } from '../../../domain/pay/ids.ts';
import type { CardRail } from '../../../domain/pay/rail/port.ts';
import { ById } from '../../http/by-id.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';

const tag = 'Money';

export interface CardDeps {
  readonly withdrawals: Pick<Withdrawals, 'destinations' | 'removeDestination'>;
  readonly bindings: PersonBindings;
  /** Null where no rail that pays cards is set up. */
  readonly cardRail: Pick<CardRail, 'beginBinding' | 'readBinding'> | null;
  readonly publicUrl: string;
}

/** Where a person is paid. No number of a card ever comes here: it is typed at the rail. */
export const cardRoutes = (deps: CardDeps): Route[] => [list(deps), begin(deps), remove(deps)];

/** A person waits. */
const RAIL_MS_MAX = 10_000;
const RETURN_TO_CHARACTERS_MAX = 500;

const DestinationBody = z
  .object({
    id: z.uuid(),
    rail: RailId.meta({ description: 'By which it is paid.' }),
    last4: z.string().meta({ description: 'Its last four digits.', example: '1234' }),
    usable_from: z.date().meta({ description: 'Nothing is paid to it before.' }),
    made_at: z.date().meta({ description: 'When it was bound.' }),
    distrusted: z
      .boolean()
      .meta({ description: 'A payment to it came back: nothing is paid to it any more. Bind another.' }),
  })
  .meta({ id: 'PayoutDestination' });

const destinationBody = ({ id, rail, last4, usableFrom, madeAt, distrusted }: Destination) => ({
  id,
  rail,
  last4,
  usable_from: usableFrom,
  made_at: madeAt,
  distrusted,
});

const list = (deps: CardDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/profile/destinations',
    tag,
    summary: 'List cards',
    description: 'Where the person can be paid: three at most.',
    session: 'earner',
    answers: {
      200: { description: 'Those in use.', schema: z.object({ data: z.array(DestinationBody) }) },
    },
    async handle({ person, now }) {
      await finishOpen(deps, person.personId, now);
      const found = await deps.withdrawals.destinations(person.personId);
      return { status: 200, body: { data: found.map(destinationBody) } };
    },
  });

/** The person comes back from the form often before the rail calls. */
async function finishOpen({ bindings, cardRail }: CardDeps, personId: string, now: Date): Promise<void> {
  const open = cardRail ? await bindings.open(personId, now) : null;
  if (open !== null && cardRail)
    await finishBinding({ links: bindings, rail: cardRail }, open, AbortSignal.timeout(RAIL_MS_MAX));
}

const begin = (deps: CardDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/profile/destinations',
    tag,
    summary: 'Bind a card',
    description:
      'Answers the address of the rail’s own form, good for 15 minutes, on which the person types their card; we never see its number. Its phone has to be the person’s. ' +
      'Then the card stands in `GET /api/profile/destinations`, usable after 24 hours.',
    session: 'earner',
    fresh: true,
    body: z.strictObject({
      return_to: z
        .url({ protocol: /^https?$/, error: 'expected an address such as https://app.example/cards' })
        .max(RETURN_TO_CHARACTERS_MAX)
        .optional()
        .meta({
          description: 'Where the browser goes when the person is done, or gives up.',
          example: 'https://app.example/cards',
        }),
    }),
    answers: {
      201: {
        description: 'Open it in a browser.',
        schema: z.object({
          form_url: z
            .string()
            .meta({ description: 'Of the rail.', example: 'https://rail.example/form/4711' }),
        }),
      },
    },
    problems: [422],
    async handle({ person, body }) {
      const form = await openForm(deps, person.personId, body.return_to ?? deps.publicUrl);
      return { status: 201, body: { form_url: form } };
    },
  });

/** @throws Problem where there is no phone, no rail, too many forms were asked for, or the rail opens no form now. */
async function openForm({ bindings, cardRail }: CardDeps, personId: string, returnTo: string) {
  if (cardRail === null)
    throw new Problem(503, 'unavailable', 'No rail that pays cards is set up at this installation.');
  const phone = await bindings.phoneOf(personId);
  if (phone === null)
    throw new Problem(
      422,
      'phone-not-proven',
      'The rail compares the phone of the card, and no phone is proven.',
    );
  const bindingId = uuidv7();
  if ((await bindings.begin({ personId, phone, bindingId })) === 'too-many')
    throw new Problem(429, 'too-many-forms', 'Ten forms were asked for within an hour.', {
      headers: { 'Retry-After': '600' },
    });
  const reply = await cardRail.beginBinding({ bindingId, phone, returnTo }, AbortSignal.timeout(RAIL_MS_MAX));
  if (reply.kind !== 'answered')
    throw new Problem(503, 'unavailable', 'The rail opens no form at the moment. Ask again.', {
      headers: { 'Retry-After': '10' },
    });
  const { session, formUrl } = reply.value;
  await bindings.opened(bindingId, session);
  return formUrl;
}

const remove = ({ withdrawals }: CardDeps) =>
  definePersonRoute({
    method: 'delete',
    path: '/api/profile/destinations/{id}',
    tag,
    summary: 'Remove a card',
    description:
      'Nothing more is paid to it; what is on its way has its end. Binding it anew takes 24 hours again.',
    session: 'earner',
    fresh: true,
    params: ById,
    answers: { 204: { description: 'Removed.', schema: z.undefined() } },
    problems: [404],
    async handle({ params, person }) {
      const wasThere = await withdrawals.removeDestination(person.personId, DestinationId.parse(params.id));
      if (!wasThere) throw new Problem(404, 'not-found', 'The person has no such card.');
      return { status: 204, body: undefined };
    },
  });

import type { Mutation } from '../mutation.ts';

const PROMO = 'infra/postgres/earn/migrations/20261130162200-earn-promo.ts';
const REDEEM = 'infra/postgres/earn/migrations/20261130180100-earn-own-promo.ts';
const REQUESTS = 'infra/postgres/earn/support/requests.ts';
const TELLING = 'workers/earn/telling/wire.ts';
const inPromo = (name: string) => ({ file: 'test/infra/postgres/earn/promo.test.ts', name });
const inSupport = (name: string) => ({ file: 'test/infra/postgres/earn/support.test.ts', name });
const inTelling = (name: string) => ({ file: 'test/workers/earn/telling.test.ts', name });

const promos: readonly Mutation[] = [
  {
    name: 'the uses of a promo code are counted without its lock',
    edits: [
      {
        file: REDEEM,
        from: `  perform from promo_code x where x.project_id = book and x.code = upper(of_code collate "C") for no key update;\n`,
        to: '',
      },
    ],
    test: inPromo('of 10 uses is redeemed by 10 of 50 people at once'),
  },
  {
    name: 'a promo code is redeemed without the constraint of once a person',
    edits: [
      {
        file: PROMO,
        from: '  primary key (code_id, person_id)\n',
        to: '  primary key (code_id, person_id, id)\n',
      },
    ],
    test: inPromo('is held to once a person by the table too, which nobody changes, its owner neither'),
  },
  {
    name: 'a debt is forgotten when a promo code is redeemed',
    edits: [{ file: PROMO, from: '  if debt > 0 then\n', to: '  if false then\n' }],
    test: inPromo('pays what a person owes first'),
  },
  {
    name: 'one person makes as many promo codes as they like',
    edits: [
      { file: PROMO, from: 'takes_two := alone + of_amount::numeric', to: 'takes_two := of_amount::numeric' },
    ],
    test: inPromo('takes a second one, also where one person makes many small ones in a day'),
  },
  {
    name: 'who made a promo code agrees to it',
    edits: [{ file: PROMO, from: `  if c.asked_by = by_staff then return 'own-promo'; end if;\n`, to: '' }],
    test: inPromo('is agreed to by another, once, and while who asked still counts'),
  },
  {
    name: 'who made a promo code redeems it',
    edits: [{ file: REDEEM, from: 'perform earn_refuse_own(who, of_person) from', to: 'perform from' }],
    test: inPromo('is redeemed by nobody who made it or agreed to it, by their own phone'),
  },
  {
    name: 'a promo code to come is told from one that there is not',
    edits: [
      {
        file: REDEEM,
        from: `or at < c.valid_from then 'promo-unknown'`,
        to: `then 'promo-unknown' when at < c.valid_from then 'promo-ended'`,
      },
    ],
    test: inPromo('that waits for its day or for a second person is as unknown as one that there is not'),
  },
  {
    name: 'a person whose payouts are blocked redeems a promo code',
    edits: [
      {
        file: REDEEM,
        from: 'where x.person_id = of_person and x.lifted_at is null',
        to: 'where false and x.lifted_at is null',
      },
    ],
    test: inPromo('is not redeemed by a person whose payouts are blocked, whatever they type'),
  },
  {
    name: 'promo codes are guessed as often as somebody likes',
    edits: [
      {
        file: 'apps/api/earn/promo/promo.routes.ts',
        from: '      await countFurther(...quotasOf(person.personId, ip));\n',
        to: '',
      },
    ],
    test: {
      file: 'test/apps/api/earn/words.system.test.ts',
      name: 'is tried a few times in an hour by one person, and others are not held up',
    },
  },
];

const told: readonly Mutation[] = [
  {
    name: 'requests of a person are counted without their lock',
    edits: [
      {
        file: REQUESTS,
        from: '  await tx.query(holdPerson, [personId]);\n  const { rows: same }',
        to: '  const { rows: same }',
      },
    ],
    test: inSupport(
      'is the third of a person at the most, however many they send at once; a closed one makes room',
    ),
  },
  {
    name: 'news is told without a key of its own',
    edits: [
      {
        file: TELLING,
        from: '      dedupeKey,\n      idempotency',
        to: '      dedupeKey: null,\n      idempotency',
      },
    ],
    test: inTelling('a round that was cut off after its messages were taken tells nobody twice'),
  },
  {
    name: 'news is told to who switched its category off',
    edits: [{ file: TELLING, from: `name: category?.name ?? name ?? '',`, to: `name: 'of-nobody',` }],
    test: inTelling(
      'what is published is told once, by Telegram and push, in each person’s language, and not to who switched it off',
    ),
  },
];

export const wordsMutations: readonly Mutation[] = [...promos, ...told];

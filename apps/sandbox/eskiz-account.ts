import { z } from 'zod';
import { matchesTemplate } from '../../domain/shared/moderated-template.ts';
import type { EskizErrorCode } from './eskiz-errors.ts';

const TEMPLATES_MAX = 1_000;
/** One SMS of up to 200 words: every text passes, until somebody orders otherwise. */
const EVERY_TEXT = '%w{1,200}';
/** A million soʻm, at 95 soʻm a part. */
const BALANCE_UZS = 1_000_000;
const PART_UZS = 95;
const TOKEN_SECONDS = 30 * 86_400;
/** What an account that nobody has approved may send. */
const TEST_TEXTS = ['Bu Eskiz dan test', 'Это тест от Eskiz', 'This is test from Eskiz'];

/** `service` and `reklama` are approved, for codes and for advertising. */
const TemplateStatus = z.enum(['service', 'reklama', 'inproccess', 'rejected']);
const Template = z
  .union(
    [
      z.string().min(1).max(2_000),
      z.strictObject({ template: z.string().min(1).max(2_000), status: TemplateStatus }),
    ],
    { error: 'expected a text, or { "template": …, "status": … }' },
  )
  .transform((given) =>
    typeof given === 'string' ? { template: given, status: 'service' as const } : given,
  );

/** The account at Eskiz, as `PUT /eskiz` orders it; what is left out stays. */
export const EskizOrder = z.strictObject({
  balance_uzs: z.number().min(0).optional(),
  part_uzs: z.number().min(0).optional(),
  /** Three fixed texts are all that it may send. */
  test_account: z.boolean().optional(),
  /** In place of those that were there; a text alone is an approved one. */
  templates: z.array(Template).max(TEMPLATES_MAX).optional(),
  /** The life of the tokens that are given from now on. */
  token_seconds: z.int().min(1).optional(),
});
export type EskizOrder = z.input<typeof EskizOrder>;

/** Balance, prices and approved texts. They are as new after a restart. */
export class EskizAccount {
  balanceUzs = BALANCE_UZS;
  partUzs = PART_UZS;
  isTest = false;
  templates: z.output<typeof Template>[] = [{ template: EVERY_TEXT, status: 'service' }];
  tokenSeconds = TOKEN_SECONDS;

  order(order: EskizOrder): object {
    const given = EskizOrder.parse(order);
    this.balanceUzs = given.balance_uzs ?? this.balanceUzs;
    this.partUzs = given.part_uzs ?? this.partUzs;
    this.isTest = given.test_account ?? this.isTest;
    this.templates = given.templates ?? this.templates;
    this.tokenSeconds = given.token_seconds ?? this.tokenSeconds;
    return this.view();
  }

  view(): object {
    return {
      balance_uzs: this.balanceUzs,
      part_uzs: this.partUzs,
      test_account: this.isTest,
      templates: this.templates,
      token_seconds: this.tokenSeconds,
    };
  }

  /** Takes the price of a message, or says why it is not sent. */
  charge(text: string, parts: number): EskizErrorCode | null {
    if (this.isTest && !TEST_TEXTS.includes(text)) return 'test-texts-only';
    if (!this.isTest && !this.#isApproved(text)) return 'text-not-moderated';
    const price = parts * this.partUzs;
    if (price > this.balanceUzs) return 'balance-empty';
    this.balanceUzs -= price;
    return null;
  }

  #isApproved(text: string): boolean {
    return this.templates.some(
      ({ template, status }) =>
        (status === 'service' || status === 'reklama') && matchesTemplate(template, text),
    );
  }
}

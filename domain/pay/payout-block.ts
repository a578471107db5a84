/** Why somebody is paid nothing for a while. */
export interface PayoutBlock {
  readonly id: string;
  /** `phone-lost`: their phone is another person's now; for 72 hours. */
  readonly reason: string;
  /** Null: until somebody lifts it. */
  readonly until: Date | null;
  readonly madeAt: Date;
}

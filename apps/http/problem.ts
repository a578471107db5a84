import type { ProblemType } from '../../domain/reasons.ts';

/** One bad field of a request. */
export interface FieldError {
  /** JSON pointer (RFC 6901) into the body, or the name of a header or a query parameter. */
  readonly pointer: string;
  readonly detail: string;
}

/** RFC 9457 problem details, thrown by handlers and written by `problems` in `express.ts`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** The last part of the problem's type URI, such as `quota-exceeded`. */
  readonly type: ProblemType;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Members beside the standard ones, such as `remaining`. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** Where the next step of its type is not that of this case. */
  readonly nextStep: string | undefined;

  constructor(
    status: number,
    type: ProblemType,
    detail: string,
    more: {
      errors?: readonly FieldError[];
      headers?: Record<string, string>;
      extra?: Record<string, unknown>;
      nextStep?: string;
    } = {},
  ) {
    super(detail);
    this.status = status;
    this.type = type;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
    this.extra = more.extra ?? {};
    this.nextStep = more.nextStep;
  }
}

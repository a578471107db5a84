/** A request, read whole. */
export interface Incoming {
  /** Of its two lines in the log. */
  readonly id: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed; undefined where it is no JSON. */
  readonly body: unknown;
  /** Unparsed. */
  readonly text: string;
  readonly authorization: string;
}

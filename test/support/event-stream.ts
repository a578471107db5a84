import { onTestFinished } from 'vitest';

export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read what they expect, and fail where it is not.
  readonly data: any;
}

export interface OpenStream {
  readonly status: number;
  readonly headers: Headers;
  /** All that came so far; comments are counted apart. */
  readonly events: readonly StreamEvent[];
  /** Whether it came to its end, or was cut off. */
  readonly ended: Promise<'whole' | 'cut off'>;
  close(): void;
}

/** A client of server-sent events, as the specification has one: blocks apart by an empty line, fields by a colon. */
export async function openStream(
  url: string,
  key: string,
  headers: Record<string, string> = {},
): Promise<OpenStream> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${key}`, Accept: 'text/event-stream', ...headers },
    signal: leaving.signal,
  });
  const events: StreamEvent[] = [];
  const ended = read(response, events).then(
    () => 'whole' as const,
    () => 'cut off' as const,
  );
  onTestFinished(() => leaving.abort());
  return { status: response.status, headers: response.headers, events, ended, close: () => leaving.abort() };
}

async function read(response: Response, events: StreamEvent[]): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      if (fields['data'])
        events.push({
          id: fields['id'] ?? '',
          event: fields['event'] ?? '',
          data: JSON.parse(fields['data']),
        });
    }
  }
}

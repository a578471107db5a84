import { Agent, request } from 'undici';

/** 30 s: balancers in front of providers drop an idle connection after about 60 s, and a message sent into that moment is lost. */
const IDLE_MS_MAX = 30_000;
/** 3 s: whoever has not answered a SYN by then is away, and the chain has other channels. */
const CONNECT_MS_MAX = 3_000;
/** 15 s: longer than an attempt may take, so that its own deadline speaks first. */
const ANSWER_MS_MAX = 15_000;
/** 64 KiB: every answer that we read has less than one. */
const ANSWER_BYTES_MAX = 65_536;

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What asks for something, and sends no message: GET and PATCH have no body here. */
export interface Question {
  readonly method: 'GET' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/**
 * A pool of connections to one provider. How many are open is bounded by its concurrency limit.
 *
 * @param answerBytesMax more than that of an answer is not read.
 */
export function keptAlive(answerBytesMax = ANSWER_BYTES_MAX): Agent {
  return new Agent({
    keepAliveTimeout: IDLE_MS_MAX,
    connect: { timeout: CONNECT_MS_MAX },
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
    maxResponseSize: answerBytesMax,
  });
}

/** Posts once: no redirect is followed and nothing is repeated, since a repeat is a second message. */
export const post = (agent: Agent, message: HttpRequest, signal: AbortSignal | null): Promise<HttpAnswer> =>
  answerTo(agent, { method: 'POST', ...message }, signal);

/** As `post`: a repeat would confirm anew. */
export const put = (agent: Agent, message: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> =>
  answerTo(agent, { method: 'PUT', ...message }, signal);

export const ask = (agent: Agent, question: Question, signal: AbortSignal): Promise<HttpAnswer> =>
  answerTo(agent, { body: null, ...question }, signal);

async function answerTo(
  agent: Agent,
  sent: {
    method: 'POST' | 'PUT' | 'GET' | 'PATCH';
    url: string;
    headers: Record<string, string>;
    body: string | null;
  },
  signal: AbortSignal | null,
): Promise<HttpAnswer> {
  const { url, ...rest } = sent;
  const answer = await request(url, { ...rest, signal, dispatcher: agent });
  const text = await answer.body.text().catch((error: unknown) => {
    // Of a refusal the status says enough, however its page broke off; of a success only the body does.
    if (answer.statusCode < 300 || signal?.aborted) throw error;
    return '';
  });
  return { status: answer.statusCode, headers: answer.headers, text };
}

/** A path on a server that may itself have one, as the sandbox's Gateway has. */
export const urlAt = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`;

/** The first of a header's values. */
export function headerOf(headers: HttpAnswer['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

import type { Request, Response } from 'express';
import { z } from 'zod';
import { ERRORS_SHOWN_MAX, sendJson } from '../http/answer.ts';
import { Problem } from '../http/problem.ts';
import { fieldErrors, plainWords } from '../../domain/shared/schema-words.ts';
import { byName } from '../http/places.ts';
import { badText } from '../../domain/shared/bad-text.ts';
import type { Html } from './html.ts';

/** Nothing but our own stylesheet and forms to ourselves: these pages need no script at all. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Longer than any reason or name of ours. */
const TEXT_CHARACTERS_MAX = 200;

/** A program asks by `Accept: application/json` or `?format=json`; whoever takes anything gets the page. */
export function wantsJson(req: Request): boolean {
  return req.query['format'] === 'json' || req.accepts(['html', 'json']) === 'json';
}

export function sendPage(res: Response, status: number, page: Html): void {
  res.status(status).setHeader('Content-Security-Policy', PAGE_POLICY);
  res.type('html').send(page.text);
}

/** One path, two forms: the page for people and the same facts for programs. */
export function answer(req: Request, res: Response, facts: unknown, page: () => Html): void {
  res.vary('Accept');
  if (wantsJson(req)) sendJson(res, 200, wire(facts));
  else sendPage(res, 200, page());
}

/** Members are snake_case on the wire, as everywhere in Navbat. */
export function wire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snake(name), wire(item)]));
}

const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * Reads a query or a form.
 *
 * @throws Problem 400 naming each field that does not fit.
 */
export function read<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input ?? {}, { error: plainWords });
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error.issues, byName);
  const named = errors
    .slice(0, ERRORS_SHOWN_MAX)
    .map(({ pointer, detail }) => `${pointer}: ${detail}`)
    .join('; ');
  throw new Problem(400, 'invalid-request', `The request does not fit: ${named}.`, { errors });
}

/** A text of staff's, which Postgres can take. */
export const Text = z
  .string()
  .trim()
  .max(TEXT_CHARACTERS_MAX)
  .refine((text) => badText(text) === null, { error: 'holds a character that is not allowed' });

/** A form sends an empty field for one that was left out. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

import { z } from 'zod';
import type { Route } from '../../apps/http/route.ts';

export const nameOf = ({ method, path }: Route) =>
  `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/(?<=.)\/$/, '')}`;

export const wrongValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'yesterday',
  '2026-02-30T00:00:00Z',
  '2026-01-01T00:00:00',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-23:59',
  'http://[',
  '(',
  'x'.repeat(3_000),
  [],
  [null],
  [{}],
  {},
  { a: { b: [1] } },
];

/** The fields of a body or a query: of each form of a union. */
export function fieldsOf(schema: z.ZodType | undefined): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => fieldsOf(option as z.ZodType));
  if (schema instanceof z.ZodOptional) return fieldsOf(schema.unwrap() as z.ZodType);
  return [];
}

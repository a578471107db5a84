import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { apiRoutes as routes } from '../support/api-routes.ts';
import { fieldsOf, nameOf, wrongValues } from './wrong-values.ts';

/** In place of an `expect` for each of the hundred thousand values. */
function throwsOn(schema: z.ZodType, value: object): boolean {
  try {
    schema.safeParse(value);
    return false;
  } catch {
    return true;
  }
}

describe('a schema answers, and never throws', () => {
  const schemas = routes.flatMap((route) =>
    [route.params, route.query, route.body].flatMap((schema) =>
      schema ? [{ name: nameOf(route), schema }] : [],
    ),
  );

  test.each(schemas)('$name: each field and each pair of fields', ({ schema }) => {
    const fields = fieldsOf(schema);
    const thrown: object[] = [];
    for (const [at, first] of fields.entries())
      for (const second of fields.slice(at))
        for (const one of wrongValues)
          for (const other of wrongValues) {
            const value = { [first]: one, [second]: other };
            if (throwsOn(schema, value)) thrown.push(value);
          }
    expect(thrown).toEqual([]);
  });

  test.each(schemas)('$name: no value at all, and values of other sorts', ({ schema }) => {
    for (const value of [undefined, ...wrongValues]) expect(() => schema.safeParse(value)).not.toThrow();
  });
});

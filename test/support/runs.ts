/**
 * How often a property is tried: `short` in `npm test`, `long` in `npm run test:system`, which takes every `*-property.test.ts` again
 * (`vitest.config.ts` says which of the two it is).
 */
export const runs = (short: number, long: number): number =>
  process.env['NAVBAT_PROPERTIES'] === 'long' ? long : short;

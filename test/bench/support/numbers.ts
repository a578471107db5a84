/** Mobile ranges of three countries (ITU-T national numbering plans): calling code and operator, seven digits follow. */
const ranges = [
  ...['90', '91', '93', '94', '95', '97', '98', '99', '88', '33', '77'].map((operator) => `998${operator}`),
  ...['701', '702', '705', '707', '747', '775', '777', '778'].map((operator) => `7${operator}`),
  ...['903', '905', '910', '916', '926', '950', '960', '999'].map((operator) => `7${operator}`),
] as const;

/** Countries that a bench's projects allow, so that no number is refused for its country. */
export const numberCountries = ['UZ', 'KZ', 'RU'] as const;

const DIGITS = 10_000_000;
/** Coprime to ten, so that each range is walked through all of its numbers, in an order that spreads over its prefixes. */
const STRIDE = 7_919_393;

/** The `n`-th of 270 million distinct valid numbers in E.164: neighbours share neither operator nor prefix. */
export function phoneAt(n: number): string {
  const range = ranges[n % ranges.length];
  const place = Math.floor(n / ranges.length);
  // Below 2^53: the place is under ten million.
  return `+${range}${String((place * STRIDE) % DIGITS).padStart(7, '0')}`;
}

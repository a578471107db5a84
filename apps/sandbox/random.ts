/** Uniform in [0, 1): Lehmer's generator with Park and Miller's constants, whose products stay below 2^53. */
export function randomFrom(seed: number): () => number {
  const modulus = 2_147_483_647;
  let state = 1 + (Math.abs(seed) % (modulus - 1));
  return () => {
    state = (state * 48_271) % modulus;
    return (state - 1) / (modulus - 1);
  };
}

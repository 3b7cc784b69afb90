// Seeded numbers for tests: a failure prints its seed, TICKROOM_SEED sets another.

/** @param {number} seed */
export function generator(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  // The first numbers of small seeds are small.
  for (let i = 0; i < 16; i++) next();
  return {
    /** From 0 to below 1. */
    next,
    /** @param {number} low @param {number} high a whole number, both ends possible */
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    /** @param {number} share */
    chance: (share) => next() < share,
  };
}

/** The seed of this run. */
export const SEED = Number(process.env.TICKROOM_SEED ?? 1);

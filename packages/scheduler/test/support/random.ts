/** Numbers in [0, 1) that are the same each time for the same seed. */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => ((state = (state * 1_103_515_245 + 12_345) & 0x7fffffff), state / 0x80000000)
}

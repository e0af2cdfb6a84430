/** The common ways to bring the scores of the feasible nodes into 0 to 100. */

/**
 * The best score of a node.
 *
 * @category models
 */
export const max = 100

const largest = (scores: Float64Array): number => {
  let found = 0
  for (const score of scores) if (score > found) found = score
  return found
}

/**
 * Scales so that the largest becomes 100; all stay 0 when none is larger. In place.
 *
 * @category combinators
 */
export const scaleUp = (scores: Float64Array): void => {
  const top = largest(scores)
  if (top > 0) for (const [i, score] of scores.entries()) scores[i] = Math.floor((max * score) / top)
}

/**
 * For scores that count what is bad: 0 becomes 100 and the largest becomes 0. In place.
 *
 * @category combinators
 */
export const scaleDown = (scores: Float64Array): void => {
  const top = largest(scores)
  for (const [i, score] of scores.entries()) scores[i] = top === 0 ? max : max - Math.floor((max * score) / top)
}

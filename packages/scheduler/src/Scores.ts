/** The common ways to bring the scores of the feasible nodes into 0 to 100. */

/**
 * The best score of a node.
 *
 * @category models
 */
export const max = 100

const largest = (scores: Float64Array): number => {
  let found = 0
  for (let i = 0; i < scores.length; i++) found = Math.max(found, scores[i] ?? 0)
  return found
}

/**
 * Scales so that the largest becomes 100; all stay 0 when none is larger. In place.
 *
 * @category combinators
 */
export const scaleUp = (scores: Float64Array): void => {
  const top = largest(scores)
  if (top === 0) return
  for (let i = 0; i < scores.length; i++) scores[i] = Math.floor((max * (scores[i] ?? 0)) / top)
}

/**
 * For scores that count what is bad: 0 becomes 100 and the largest becomes 0. In place.
 *
 * @category combinators
 */
export const scaleDown = (scores: Float64Array): void => {
  const top = largest(scores)
  for (let i = 0; i < scores.length; i++) scores[i] = top === 0 ? max : max - Math.floor((max * (scores[i] ?? 0)) / top)
}

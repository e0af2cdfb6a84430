/** Failures of functions. */

/** A failure of an evaluation, which the message of the rule reports. */
export const fail = (message: string): never => {
  throw new Error(message)
}

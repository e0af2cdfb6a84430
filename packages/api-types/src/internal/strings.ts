/** The API does not tell an empty string from an absent one. */

/** The value, or the default for an absent or empty one. */
export const orElse = <A extends string>(value: A | undefined, fallback: A): A => (value === undefined || value === "" ? fallback : value)

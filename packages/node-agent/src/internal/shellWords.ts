/** POSIX shell quoting: the only place where text from a pod meets a shell. */

/** One shell word with exactly this value. */
export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

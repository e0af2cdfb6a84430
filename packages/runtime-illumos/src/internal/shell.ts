/** A word a POSIX shell reads as exactly this text. */
export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

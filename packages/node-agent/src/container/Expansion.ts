/** `$(NAME)` references in environment values, commands and arguments. */

/**
 * Replaces every `$(NAME)` of which `lookup` knows the value; others stay as they are, and `$$` stands for one `$`.
 *
 * @category combinators
 */
export const expand = (text: string, lookup: (name: string) => string | undefined): string =>
  text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (match, name: string | undefined) => {
    if (match === "$$") return "$"
    return name === undefined ? match : lookup(name) ?? match
  })

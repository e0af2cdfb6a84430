/** The prefixes that a key lies under, shortest first: "/", "/core/", "/core/pods/", "/core/pods/default/". */
export const prefixesOf = (key: string): ReadonlyArray<string> => {
  const prefixes: Array<string> = []
  for (let at = key.indexOf("/"); at >= 0; at = key.indexOf("/", at + 1)) prefixes.push(key.slice(0, at + 1))
  return prefixes
}

/** The first two segments of a key or prefix, "/core/pods/"; undefined for a prefix above them. */
export const resourceOf = (path: string): string | undefined => {
  const group = path.indexOf("/", 1)
  const plural = group < 0 ? -1 : path.indexOf("/", group + 1)
  return plural < 0 ? undefined : path.slice(0, plural + 1)
}

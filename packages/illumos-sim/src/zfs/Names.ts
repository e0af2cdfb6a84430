/** The rules for names of pools, datasets and snapshots. */

const reservedPool = /^(mirror|raidz|spare|log$|c[0-9])/

/** What is wrong with the name, as zfs says it after the colon; `undefined` when nothing is. @category combinators */
export const problem = (name: string, kind: "dataset" | "snapshot"): string | undefined => {
  if (name.length >= 256) return "name is too long"
  if (name.startsWith("/")) return "leading slash in name"
  if (name.endsWith("/")) return "trailing slash in name"
  const parts = name.split("@")
  if (parts.length > 2) return "multiple '@' delimiters in name"
  const [path = "", snapshot] = parts
  if (kind === "dataset" && snapshot !== undefined) return "snapshot delimiter '@' in filesystem name"
  if (kind === "snapshot" && snapshot === undefined) return "missing '@' delimiter in snapshot name"
  const components = [...path.split("/"), ...(snapshot === undefined ? [] : [snapshot])]
  for (const component of components) {
    if (component === "") return "empty component in name"
    const bad = /[^A-Za-z0-9_.: -]/.exec(component)
    if (bad !== null) return `invalid character '${bad[0]}' in name`
    if (component === "." || component === "..") return `self reference, '${component}' is found in name`
  }
  const pool = components[0] ?? ""
  if (!/^[A-Za-z]/.test(pool)) return "pool must begin with a letter"
  if (reservedPool.test(pool)) return "name is reserved"
  if (components.length > 50) return "name is too deeply nested"
  return undefined
}

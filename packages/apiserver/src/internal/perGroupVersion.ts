/** Something made from a group version, kept as long as its kinds stay the same. */
import type { KindRegistry } from "@reddwarf/api-types"

const same = (left: KindRegistry.GroupVersion["kinds"], right: KindRegistry.GroupVersion["kinds"]): boolean =>
  left.length === right.length && left.every((kind, index) => kind === right[index])

/** Makes a value once for each state of a group version; the last state of each is kept. */
export const make = <A>(create: (version: KindRegistry.GroupVersion) => A): (version: KindRegistry.GroupVersion) => A => {
  const known = new Map<string, { readonly kinds: KindRegistry.GroupVersion["kinds"]; readonly value: A }>()
  return (version) => {
    const key = `${version.group}/${version.version}`
    const before = known.get(key)
    if (before !== undefined && same(before.kinds, version.kinds)) return before.value
    const value = create(version)
    known.set(key, { kinds: version.kinds, value })
    return value
  }
}

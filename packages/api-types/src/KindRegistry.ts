/** The kinds a server or client knows, found by kind or by resource name. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type * as Kind from "./Kind.js"
import { all } from "./Kinds.js"

/** A version of a group and its kinds, in the order they were registered. @category models */
export interface GroupVersion {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kinds: ReadonlyArray<Kind.Kind>
}

/** A group and its versions; the first version is the preferred one. @category models */
export interface Group {
  readonly group: string
  readonly versions: ReadonlyArray<GroupVersion>
}

/** @category models */
export interface Registry {
  readonly kinds: ReadonlyArray<Kind.Kind>
  /** The kind of this name, or undefined when it is not registered. */
  readonly byKind: (group: string, version: string, kind: string) => Kind.Kind | undefined
  /** The kind served under this plural resource name. */
  readonly byResource: (group: string, version: string, plural: string) => Kind.Kind | undefined
  /** Groups in the order of discovery: core first, then as registered. */
  readonly groups: () => ReadonlyArray<Group>
}

/** The registry of a program. @category services */
export class KindRegistry extends Context.Tag("@reddwarf/api-types/KindRegistry")<KindRegistry, Registry>() {}

const groupsOf = (kinds: ReadonlyArray<Kind.Kind>): ReadonlyArray<Group> => {
  const names = [...new Set(kinds.map((kind) => kind.group))].toSorted((left, right) => Number(left !== "") - Number(right !== ""))
  return names.map((group) => {
    const members = kinds.filter((kind) => kind.group === group)
    const versions = [...new Set(members.map((kind) => kind.version))]
    return { group, versions: versions.map((version) => ({ group, version, kinds: members.filter((kind) => kind.version === version) })) }
  })
}

/** A registry of these kinds; of two with the same name the later one counts. @category constructors */
export const make = (kinds: ReadonlyArray<Kind.Kind>): Registry => {
  const key = (group: string, version: string, name: string): string => `${group}/${version}/${name}`
  const byKind = new Map(kinds.map((kind) => [key(kind.group, kind.version, kind.kind), kind]))
  const byResource = new Map(kinds.map((kind) => [key(kind.group, kind.version, kind.plural), kind]))
  const groups = groupsOf(kinds)
  return {
    kinds,
    byKind: (group, version, kind) => byKind.get(key(group, version, kind)),
    byResource: (group, version, plural) => byResource.get(key(group, version, plural)),
    groups: () => groups
  }
}

/** All built-in kinds. @category layers */
export const layer: Layer.Layer<KindRegistry> = Layer.succeed(KindRegistry, make(all))

/** The registry of a running server: the built-in kinds and, from moment to moment, those that established definitions stand for. */
import { CustomResourceDefinitionKind, CustomResourceKind, DefinitionCheck } from "@reddwarf/api-extensions"
import { type ApiextensionsV1, type Kind, KindRegistry, Kinds } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TableSchema from "../fields/TableSchema.js"
import type * as TypedSchema from "../fields/TypedSchema.js"
import * as customTypedSchema from "./customTypedSchema.js"
import * as expressionChecks from "./expressionChecks.js"
import { prefixOf } from "./keys.js"

type Definition = ApiextensionsV1.CustomResourceDefinition

/** Where the definitions lie. */
export const prefix = prefixOf(Kinds.customResourceDefinition, undefined)

/** All definitions now. */
export const definitions = (cache: Context.Tag.Service<WatchCache.WatchCache>): ReadonlyArray<Definition> =>
  cache.list(prefix).flatMap(({ object }) => CustomResourceDefinitionKind.of(object) ?? [])

const complete = (kind: Kind.Kind): Kind.Kind =>
  kind === Kinds.customResourceDefinition ? CustomResourceDefinitionKind.customResourceDefinition : expressionChecks.complete(kind)

const metadataOf = (): TypedSchema.TypedSchema => {
  const { root } = TableSchema.ofKind(Kinds.configMap)
  const found = root._tag === "Map" ? root.field("metadata") : undefined
  return found ?? { _tag: "Untyped", atomic: false }
}

/** The kinds of each definition, made anew only when the definition itself has changed. */
const makeKinds = () => {
  let known = new Map<string, { readonly signature: string; readonly kinds: ReadonlyArray<Kind.Kind> }>()
  const metadata = metadataOf()
  return (all: ReadonlyArray<Definition>): ReadonlyArray<Kind.Kind> => {
    const next: typeof known = new Map()
    for (const definition of all) {
      if (!DefinitionCheck.isTrue(definition, "Established")) continue
      const { generation = 0, name = "", uid = "" } = definition.metadata
      const terminating = DefinitionCheck.isTrue(definition, "Terminating")
      const signature = `${uid}/${generation}/${terminating}/${JSON.stringify(definition.status?.acceptedNames ?? {})}`
      const before = known.get(name)
      if (before?.signature === signature) {
        next.set(name, before)
        continue
      }
      const kinds = CustomResourceKind.make(definition)
      for (const kind of kinds) customTypedSchema.provide(kind, metadata)
      next.set(name, { signature, kinds })
    }
    known = next
    const kinds = [...known.values()].flatMap((one) => one.kinds)
    // Versions of a group in the order of preference, whichever definition has them.
    return kinds.toSorted((left, right) => left.group === right.group ? CustomResourceKind.compareVersions(left.version, right.version) : 0)
  }
}

/** What changes with every definition. `groups()` is the same value as long as nothing has changed. */
export const make = (
  base: KindRegistry.Registry,
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>
): Effect.Effect<KindRegistry.Registry, never, Scope.Scope> =>
  Effect.gen(function*() {
    const builtIn = base.kinds.map(complete)
    // A definition may add versions to a group of the server, but neither take over a version nor the objects of a kind.
    const versions = new Set(builtIn.map(({ group, version }) => `${group}/${version}`))
    const resources = new Set(builtIn.map(({ group, plural }) => `${group}/${plural}`))
    const isFree = ({ group, plural, version }: Kind.Kind) => !versions.has(`${group}/${version}`) && !resources.has(`${group}/${plural}`)
    const kindsOf = makeKinds()
    let current: KindRegistry.Registry | undefined
    let custom: ReadonlyArray<Kind.Kind> = []
    let resolved: KindRegistry.Registry | undefined
    yield* store.subscribe((changes) => {
      if (changes.some(({ key }) => key.startsWith(prefix))) current = undefined
    })
    const registry = (): KindRegistry.Registry => {
      if (current !== undefined) return current
      const kinds = kindsOf(definitions(cache)).filter(isFree)
      const same = resolved !== undefined && kinds.length === custom.length && kinds.every((kind, index) => kind === custom[index])
      if (!same || resolved === undefined) {
        custom = kinds
        resolved = KindRegistry.make([...builtIn, ...kinds])
      }
      current = resolved
      return current
    }
    return {
      get kinds() {
        return registry().kinds
      },
      byKind: (group, version, kind) => registry().byKind(group, version, kind),
      byResource: (group, version, plural) => registry().byResource(group, version, plural),
      groups: () => registry().groups()
    }
  })

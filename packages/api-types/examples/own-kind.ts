import { FieldError, Kind, KindRegistry, Kinds, type KubeObject } from "@reddwarf/api-types"
import { Console, Effect } from "effect"

interface Backup extends KubeObject.KubeObject {
  readonly spec?: { readonly everyHours?: number }
}

/** One definition: routes, discovery, tables and validation of the kind follow from it. */
const backup = Kind.make<Backup>({
  group: "example.com",
  version: "v1",
  kind: "Backup",
  plural: "backups",
  shortNames: ["bk"],
  namespaced: true,
  schema: "com.example.v1.Backup",
  tracksGeneration: true,
  validateContent: ({ spec }) =>
    (spec?.everyHours ?? 0) > 0 ? [] : [FieldError.invalid("spec.everyHours", spec?.everyHours ?? 0, "must be greater than 0")]
})

const registry = KindRegistry.make([...Kinds.all, backup])
const nightly: Backup = { apiVersion: "example.com/v1", kind: "Backup", metadata: { name: "nightly", namespace: "default" }, spec: {} }

await Effect.runPromise(
  Effect.gen(function*() {
    yield* Console.log(registry.byResource("example.com", "v1", "backups")?.listKind) // BackupList
    yield* Console.log(backup.validate(nightly).map(FieldError.format)) // [ 'spec.everyHours: Invalid value: 0: must be greater than 0' ]
  })
)

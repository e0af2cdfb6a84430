/** CSIDriver: what the cluster has to know about a storage driver. */
import type * as StorageV1 from "../generated/StorageV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import { optionalOneOf } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import { validateImmutable } from "../validation/MetadataValidation.js"

const defaults = (object: StorageV1.CSIDriver): StorageV1.CSIDriver => ({
  ...object,
  spec: {
    ...object.spec,
    attachRequired: object.spec.attachRequired ?? true,
    podInfoOnMount: object.spec.podInfoOnMount ?? false,
    volumeLifecycleModes: (object.spec.volumeLifecycleModes ?? []).length === 0 ? ["Persistent"] : object.spec.volumeLifecycleModes ?? [],
    storageCapacity: object.spec.storageCapacity ?? false,
    fsGroupPolicy: object.spec.fsGroupPolicy ?? "ReadWriteOnceWithFSType",
    requiresRepublish: object.spec.requiresRepublish ?? false,
    seLinuxMount: object.spec.seLinuxMount ?? false
  }
})

const fixed = ["attachRequired", "fsGroupPolicy", "podInfoOnMount", "volumeLifecycleModes", "storageCapacity"] as const

/** @category constructors */
export const csiDriver: Kind.Kind<StorageV1.CSIDriver> = Kind.make<StorageV1.CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  namespaced: false,
  schema: "io.k8s.api.storage.v1.CSIDriver",
  tracksGeneration: true,
  allowUnconditionalUpdate: false,
  defaults,
  validateContent: ({ spec }) => [
    ...optionalOneOf("spec.fsGroupPolicy", spec.fsGroupPolicy, ["ReadWriteOnceWithFSType", "File", "None"]),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode, index) =>
      optionalOneOf(`spec.volumeLifecycleModes[${index}]`, mode, ["Ephemeral", "Persistent"]))
  ],
  validateContentUpdate: (next, old) => fixed.flatMap((field) => validateImmutable(`spec.${field}`, next.spec[field], old.spec[field])),
  columns: [
    name,
    { name: "AttachRequired", type: "boolean", description: "Whether volumes are attached to a node first.", priority: 0 },
    { name: "PodInfoOnMount", type: "boolean", description: "Whether mounting is told about the pod.", priority: 0 },
    { name: "StorageCapacity", type: "boolean", description: "Whether the driver reports its capacity.", priority: 0 },
    text("TokenRequests", "Audiences of tokens that mounting is given."),
    { name: "RequiresRepublish", type: "boolean", description: "Whether mounting is repeated.", priority: 0 },
    text("Modes", "Life cycles of volumes that the driver supports."),
    age
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? "",
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    (spec.tokenRequests ?? []).length === 0 ? "<unset>" : (spec.tokenRequests ?? []).map(({ audience }) => audience).join(","),
    spec.requiresRepublish ?? false,
    (spec.volumeLifecycleModes ?? []).join(",") || "<none>",
    ageCell({ metadata }, now)
  ]
})

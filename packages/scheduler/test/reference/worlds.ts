/** Random clusters: small, and alike enough that pods compete, rules meet and filters disagree. */
import type { CoreV1, MetaV1, PolicyV1, StorageV1 } from "@reddwarf/api-types"
import { FastCheck as fc } from "effect"

const rarely = <A>(arbitrary: fc.Arbitrary<A>, one: number = 4): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: one - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const mostly = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 6, arbitrary })
const few = <A>(arbitrary: fc.Arbitrary<A>, maxLength: number): fc.Arbitrary<Array<A>> =>
  fc.array(arbitrary, { minLength: 1, maxLength, size: "max" })

type Present<A> = { [K in keyof A]: Exclude<A[K], undefined> }
/** Absent and undefined differ for the checker; the generators know only undefined. */
const present = <A extends object>(record: A): Partial<Present<A>> =>
  Object.fromEntries(Object.entries(record).filter(([, each]) => each !== undefined)) as Partial<Present<A>>
/** What is to be there, with what may be there. */
const optional = <A extends object>(model: { [K in keyof A]: fc.Arbitrary<A[K]> }): fc.Arbitrary<Partial<Present<A>>> =>
  fc.record(model).map((each) => present(each as A))

const hostname = "kubernetes.io/hostname"
const zone = "topology.kubernetes.io/zone"
const topologyKey = fc.constantFrom(hostname, zone, zone, "rack")

const labels = optional({
  [zone]: mostly(fc.constantFrom("a", "b", "c")),
  rack: rarely(fc.constantFrom("1", "2"), 2),
  rank: rarely(fc.constantFrom("1", "5", "9")),
  "reddwarf.io/zone-brands": rarely(fc.constantFrom("lx", "sparse.lx"), 2)
})

const effect = fc.constantFrom<CoreV1.TaintEffect>("NoSchedule", "NoExecute", "PreferNoSchedule", "PreferNoSchedule")
const taintKey = fc.constantFrom("team", "disk")
const taintValue = fc.constantFrom("a", "b")
const taint: fc.Arbitrary<CoreV1.Taint> = fc.oneof(fc.record({ key: taintKey, value: taintValue, effect }), fc.record({ key: taintKey, effect }))
const toleration: fc.Arbitrary<CoreV1.Toleration> = fc.oneof(
  fc.record({ key: taintKey, operator: fc.constant<CoreV1.TolerationOperator>("Equal"), value: taintValue, effect }),
  fc.record({ key: taintKey, operator: fc.constant<CoreV1.TolerationOperator>("Exists") }),
  fc.constant<CoreV1.Toleration>({ operator: "Exists" }),
  fc.constant<CoreV1.Toleration>({ key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" })
)

const images = fc.array(
  fc.record({ name: fc.constantFrom("example/a:1", "example/b:latest"), sizeBytes: fc.constantFrom(30 * 2 ** 20, 400 * 2 ** 20, 3000 * 2 ** 20) }),
  { maxLength: 2 }
).map((all) => [...new Map(all.map((each) => [each.name, each])).values()].map(({ name, sizeBytes }): CoreV1.ContainerImage => ({ names: [name], sizeBytes })))

/** A node as it is made, or as it becomes. */
export const nodeShape = fc.record({
  allocatable: fc.record({
    cpu: fc.constantFrom("1", "2", "2500m", "4", "8"),
    memory: fc.constantFrom("1Gi", "2Gi", "4Gi"),
    pods: fc.constantFrom("2", "5", "110", "110", "110")
  }),
  extra: fc.constantFrom<Record<string, string>>({}, { "ephemeral-storage": "1Gi" }, { "ephemeral-storage": "6Gi" }, { "example.com/gpu": "2", "ephemeral-storage": "4Gi" }),
  labels,
  named: fc.nat(9),
  taints: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(taint, { maxLength: 2 }) }),
  cordon: fc.nat(15),
  ready: fc.nat(15).map((n) => n === 0 ? "False" : n === 1 ? "Unknown" : "True"),
  images,
  left: rarely(fc.constantFrom(2 ** 29, 2 ** 31, 2 ** 33), 6)
})
type NodeShape = typeof nodeShape extends fc.Arbitrary<infer A> ? A : never

export const node = (name: string, shape: NodeShape): CoreV1.Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name,
    labels: { ...shape.labels, ...(shape.named === 0 ? {} : { [hostname]: name }) },
    ...(shape.left === undefined ? {} : { annotations: { "reddwarf.io/pool-available": String(shape.left) } })
  },
  spec: { taints: shape.taints, ...(shape.cordon === 0 ? { unschedulable: true } : {}) },
  status: { allocatable: { ...shape.allocatable, ...shape.extra }, conditions: [{ type: "Ready", status: shape.ready }], images: shape.images }
})

const app = fc.constantFrom("a", "b")
const podLabels = optional({ app: mostly(app), tier: rarely(fc.constantFrom("x", "y"), 2) })

const requirement: fc.Arbitrary<MetaV1.LabelSelectorRequirement> = fc.oneof(
  fc.record({ key: fc.constant("app"), operator: fc.constantFrom<"In" | "NotIn">("In", "NotIn"), values: few(app, 2) }),
  fc.record({ key: fc.constant("tier"), operator: fc.constantFrom<"Exists" | "DoesNotExist">("Exists", "DoesNotExist") })
)
const selector: fc.Arbitrary<MetaV1.LabelSelector> = fc.oneof(
  fc.record({ matchLabels: fc.record({ app }) }),
  fc.record({ matchLabels: fc.record({ app }) }),
  fc.record({ matchExpressions: few(requirement, 2) }),
  fc.constant({})
)
const namespace = fc.constantFrom("default", "default", "other", "third")
const namespaceSelector: fc.Arbitrary<MetaV1.LabelSelector> = fc.constantFrom({}, { matchLabels: { team: "blue" } }, { matchLabels: { team: "green" } })

const affinityTerm: fc.Arbitrary<CoreV1.PodAffinityTerm> = optional({
  topologyKey,
  labelSelector: mostly(selector),
  namespaces: rarely(few(namespace, 2)),
  namespaceSelector: rarely(namespaceSelector)
}).map(({ topologyKey: key = zone, ...others }) => ({ topologyKey: key, ...others }))
const weighted = fc.record({ weight: fc.integer({ min: 1, max: 100 }), podAffinityTerm: affinityTerm })

const nodeRequirement: fc.Arbitrary<CoreV1.NodeSelectorRequirement> = fc.oneof(
  fc.record({ key: fc.constantFrom(zone), operator: fc.constantFrom<CoreV1.NodeSelectorOperator>("In", "NotIn"), values: few(fc.constantFrom("a", "b"), 2) }),
  fc.record({ key: fc.constantFrom(zone, "rank"), operator: fc.constantFrom<CoreV1.NodeSelectorOperator>("Exists", "DoesNotExist") }),
  fc.record({ key: fc.constant("rank"), operator: fc.constantFrom<CoreV1.NodeSelectorOperator>("Gt", "Lt"), values: fc.constantFrom(["3"], ["5"]) })
)
const nameField = fc.nat(6).map((n): CoreV1.NodeSelectorRequirement => ({ key: "metadata.name", operator: "In", values: [`n${n}`, "n1"] }))
const nodeTerm: fc.Arbitrary<CoreV1.NodeSelectorTerm> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ matchExpressions: few(nodeRequirement, 2) }) },
  { weight: 1, arbitrary: fc.record({ matchFields: few(nameField, 2) }) },
  { weight: 1, arbitrary: fc.record({ matchExpressions: few(nodeRequirement, 1), matchFields: few(nameField, 1) }) }
)

const nodeAffinity: fc.Arbitrary<CoreV1.NodeAffinity> = optional({
  requiredDuringSchedulingIgnoredDuringExecution: rarely(fc.record({ nodeSelectorTerms: few(nodeTerm, 2) }), 3),
  preferredDuringSchedulingIgnoredDuringExecution: rarely(few(fc.record({ weight: fc.integer({ min: 1, max: 100 }), preference: nodeTerm }), 3))
})
const podAffinity: fc.Arbitrary<CoreV1.PodAffinity> = optional({
  requiredDuringSchedulingIgnoredDuringExecution: rarely(few(affinityTerm, 2), 3),
  preferredDuringSchedulingIgnoredDuringExecution: rarely(few(weighted, 2), 3)
})
const affinity: fc.Arbitrary<CoreV1.Affinity> = optional({
  nodeAffinity: rarely(nodeAffinity, 5),
  podAffinity: rarely(podAffinity, 3),
  podAntiAffinity: rarely(podAffinity, 3)
})

const policy = rarely(fc.constantFrom<CoreV1.NodeInclusionPolicy>("Honor", "Ignore"), 2)
const spreadConstraint: fc.Arbitrary<CoreV1.TopologySpreadConstraint> = optional({
  maxSkew: fc.integer({ min: 1, max: 2 }),
  topologyKey,
  labelSelector: mostly(selector),
  minDomains: rarely(fc.integer({ min: 1, max: 4 })),
  whenUnsatisfiable: fc.constantFrom<CoreV1.UnsatisfiableConstraintAction>("DoNotSchedule", "ScheduleAnyway"),
  nodeAffinityPolicy: policy,
  nodeTaintsPolicy: policy,
  tier: rarely(fc.constant(["tier"]))
}).map(({ labelSelector, maxSkew = 1, minDomains, tier, topologyKey: key = zone, whenUnsatisfiable = "DoNotSchedule", ...policies }) => ({
  maxSkew,
  topologyKey: key,
  whenUnsatisfiable,
  ...policies,
  ...(labelSelector === undefined ? {} : { labelSelector }),
  // Both are refused elsewhere by the API server.
  ...(minDomains === undefined || whenUnsatisfiable === "ScheduleAnyway" ? {} : { minDomains }),
  ...(tier === undefined || labelSelector === undefined || JSON.stringify(labelSelector).includes("tier") ? {} : { matchLabelKeys: tier })
}))

const requests = optional({
  cpu: rarely(fc.constantFrom("50m", "100m", "250m", "700m", "3"), 2),
  memory: rarely(fc.constantFrom("64Mi", "300Mi", "1Gi"), 2),
  "ephemeral-storage": rarely(fc.constantFrom("512Mi", "2Gi"), 16),
  "example.com/gpu": rarely(fc.constantFrom("1", "2"), 16)
})
const container = fc.record({ image: fc.constantFrom("example/a:1", "example/b", "example/c:2"), requests })
const port = fc.record({
  hostPort: fc.constantFrom(80, 443),
  protocol: fc.constantFrom<"TCP" | "UDP">("TCP", "UDP"),
  hostIP: fc.constantFrom("", "0.0.0.0", "10.0.0.1", "10.0.0.2")
})

const claimName = fc.constantFrom("bound", "bound", "dataset", "dataset", "manual", "exclusive", "at-once", "absent", "disk-a", "disk-b", "disk-b-too", "new-disk")

export const podShape = fc.record({
  namespace,
  labels: podLabels,
  containers: few(container, 2),
  inits: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: few(fc.record({ container, sidecar: fc.boolean() }), 2) }),
  ports: fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: few(port, 2) }),
  overhead: rarely(fc.constant({ cpu: "50m", memory: "16Mi" }), 8),
  brand: rarely(fc.constantFrom("lx", "sparse", "bhyve"), 12),
  claims: fc.oneof({ weight: 7, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: fc.uniqueArray(claimName, { minLength: 1, maxLength: 2 }) }),
  startTime: fc.integer({ min: 0, max: 9 }).map((minute) => `2026-01-01T00:0${minute}:00Z`),
  spec: optional({
    tolerations: rarely(few(toleration, 2)),
    nodeSelector: rarely(fc.record({ [zone]: fc.constantFrom("a", "b") }), 10),
    priority: rarely(fc.integer({ min: 0, max: 3 }), 2),
    affinity: rarely(affinity, 2),
    topologySpreadConstraints: rarely(few(spreadConstraint, 2), 3)
  })
})
export type PodShape = typeof podShape extends fc.Arbitrary<infer A> ? A : never

export const pod = (name: string, shape: PodShape): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    namespace: shape.namespace,
    uid: `uid-${name}`,
    labels: shape.labels,
    ...(shape.brand === undefined ? {} : { annotations: { "reddwarf.io/zone-brand": shape.brand } })
  },
  spec: {
    ...shape.spec as Partial<CoreV1.PodSpec>,
    containers: shape.containers.map((each, i) => ({
      name: `c${i}`,
      image: each.image,
      resources: { requests: each.requests },
      ...(i > 0 ? {} : { ports: shape.ports.map((one) => ({ ...one, containerPort: one.hostPort })) })
    })),
    ...(shape.inits.length === 0 ? {} : {
      initContainers: shape.inits.map((each, i): CoreV1.Container => ({
        name: `i${i}`,
        image: each.container.image,
        resources: { requests: each.container.requests },
        ...(each.sidecar ? { restartPolicy: "Always" } : {})
      }))
    }),
    ...(shape.claims.length === 0 ? {} : { volumes: shape.claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) }),
    ...(shape.overhead === undefined ? {} : { overhead: shape.overhead })
  },
  status: { startTime: shape.startTime }
})

export const namespaces: ReadonlyArray<CoreV1.Namespace> = [["default", "blue"], ["other", "green"]].map(([name = "", team = ""]) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { team } }
}))

const claim = (name: string, storageClassName: string, more: Partial<CoreV1.PersistentVolumeClaimSpec> = {}): CoreV1.PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: {
    name,
    namespace: "default",
    uid: `uid-${name}`,
    ...(more.volumeName === undefined ? {} : { annotations: { "pv.kubernetes.io/bind-completed": "yes" } })
  },
  spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...more },
  status: { phase: more.volumeName === undefined ? "Pending" : "Bound" }
})

/** Claims of `default`: bound ones, and ones that get their volume in each of the ways there are. */
export const claims: ReadonlyArray<CoreV1.PersistentVolumeClaim> = [
  claim("bound", "zfs", { volumeName: "of-bound" }),
  claim("exclusive", "zfs", { volumeName: "of-exclusive", accessModes: ["ReadWriteOncePod"] }),
  claim("dataset", "zfs"),
  claim("manual", "manual"),
  claim("at-once", "remote"),
  ...["disk-a", "disk-b", "disk-b-too"].map((name) => claim(name, "disks", { volumeName: `of-${name}` })),
  claim("new-disk", "disks")
]

export const classes: ReadonlyArray<StorageV1.StorageClass> = [
  { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "zfs" }, provisioner: "reddwarf.io/zfs", volumeBindingMode: "Immediate" },
  { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "manual" }, provisioner: "kubernetes.io/no-provisioner", volumeBindingMode: "WaitForFirstConsumer" },
  { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "remote" }, provisioner: "example.com/remote", volumeBindingMode: "Immediate" },
  { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "disks" }, provisioner: "disk.example.com", volumeBindingMode: "WaitForFirstConsumer" }
]

const volume = (name: string, storageClassName: string, key: string, values: Array<string>, more: Partial<CoreV1.PersistentVolumeSpec> = {}): CoreV1.PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name },
  spec: {
    storageClassName,
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce", "ReadWriteOncePod"],
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values }] }] } },
    ...more
  }
})
const of = (name: string): Partial<CoreV1.PersistentVolumeSpec> => ({
  claimRef: { kind: "PersistentVolumeClaim", namespace: "default", name, uid: `uid-${name}` },
  csi: { driver: "reddwarf.io/zfs", volumeHandle: name, volumeAttributes: { "reddwarf.io/node": "n0" } }
})

/** Disks that every node can attach, two of which are the same one. */
const disks: ReadonlyArray<CoreV1.PersistentVolume> = [["disk-a", "a"], ["disk-b", "b"], ["disk-b-too", "b"]].map(([name = "", volumeHandle = ""]) => {
  const { nodeAffinity: _, ...spec } = volume(name, "disks", "", [], { ...of(name), csi: { driver: "disk.example.com", volumeHandle } }).spec ?? {}
  return { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: `of-${name}` }, spec }
})

const nodeName = fc.nat(3).map((n) => `n${n}`)

/** How many volumes some nodes take. */
export const csiNodes: fc.Arbitrary<ReadonlyArray<StorageV1.CSINode>> = fc.uniqueArray(
  fc.record({ name: nodeName, disks: mostly(fc.nat(2)), datasets: rarely(fc.nat(2)) }),
  { maxLength: 3, selector: ({ name }) => name }
).map((all) =>
  all.map(({ datasets, disks: count, name }): StorageV1.CSINode => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "CSINode",
    metadata: { name },
    spec: {
      drivers: [
        { name: "disk.example.com", nodeID: name, ...(count === undefined ? {} : { allocatable: { count } }) },
        ...(datasets === undefined ? [] : [{ name: "reddwarf.io/zfs", nodeID: name, allocatable: { count: datasets } }])
      ]
    }
  }))
)

/** What is attached, though not all of it is used by a pod there. */
export const attachments: fc.Arbitrary<ReadonlyArray<StorageV1.VolumeAttachment>> = fc.array(
  fc.record({ node: nodeName, volume: fc.constantFrom("of-disk-a", "of-disk-b", "of-disk-b-too", "gone") }),
  { maxLength: 2 }
).map((all) =>
  all.map(({ node: at, volume: persistentVolumeName }, i): StorageV1.VolumeAttachment => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name: `a${i}` },
    spec: { attacher: "disk.example.com", nodeName: at, source: { persistentVolumeName } }
  }))
)

/** The volumes of the bound claims, one of which may be missing, and some that nobody has. */
export const volumes: fc.Arbitrary<ReadonlyArray<CoreV1.PersistentVolume>> = fc.record({
  missing: fc.nat(7),
  zones: few(fc.constantFrom("a", "b"), 2),
  /** Where its labels say the exclusive one is. */
  labels: fc.record({ [zone]: fc.constantFrom("a", "b", "a__b", "a__"), "topology.kubernetes.io/region": fc.constant("r") }, { requiredKeys: [] }),
  free: fc.array(fc.record({ host: fc.constantFrom("n0", "n1", "n2"), size: fc.constantFrom("512Mi", "1Gi", "4Gi") }), { maxLength: 2 })
}).map(({ free, labels, missing, zones }) => [
  ...(missing === 0 ? [] : [volume("of-bound", "zfs", zone, zones, of("bound"))]),
  { ...volume("of-exclusive", "zfs", hostname, ["n0", "n1"], of("exclusive")), metadata: { name: "of-exclusive", labels } },
  ...free.map(({ host, size }, i) => volume(`free${i}`, "manual", hostname, [host], { capacity: { storage: size } })),
  ...disks
])

/** Services of `default`: what pods without wishes of their own are spread by. */
export const services: fc.Arbitrary<ReadonlyArray<CoreV1.Service>> = fc.array(app, { maxLength: 1 }).map((apps) =>
  apps.map((each) => ({ apiVersion: "v1", kind: "Service", metadata: { name: each, namespace: "default" }, spec: { selector: { app: each } } }))
)

/** Budgets of `default` that allow few disruptions, or none. */
export const budgets: fc.Arbitrary<ReadonlyArray<PolicyV1.PodDisruptionBudget>> = fc.array(
  fc.record({ app, disruptionsAllowed: fc.integer({ min: 0, max: 2 }) }),
  { maxLength: 2 }
).map((all) =>
  all.map(({ app: value, disruptionsAllowed }, i) => ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: `b${i}`, namespace: "default" },
    spec: { selector: { matchLabels: { app: value } } },
    status: { disruptionsAllowed, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 }
  }))
)

/** What there is besides nodes and pods. */
export const surroundings = fc.record({ services, volumes, csiNodes, attachments }).map((all) => ({ ...all, namespaces, claims, classes }))

export const nodes: fc.Arbitrary<ReadonlyArray<CoreV1.Node>> = few(nodeShape, 6).map((shapes) => shapes.map((shape, i) => node(`n${i}`, shape)))

/** What happens to a cluster. Numbers choose among what is there. */
export type Step =
  | { readonly _tag: "Place"; readonly shape: PodShape }
  /** One more of a kind that came before. */
  | { readonly _tag: "Again"; readonly shape: number }
  | { readonly _tag: "Delete" | "Terminate" | "Finish"; readonly pod: number }
  | { readonly _tag: "Relabel"; readonly pod: number; readonly labels: PodShape["labels"] }
  | { readonly _tag: "Change"; readonly node: number; readonly shape: NodeShape }
  | { readonly _tag: "Remove"; readonly node: number }
  | { readonly _tag: "Add"; readonly shape: NodeShape }

const which = fc.nat(1000)
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: podShape.map((shape): Step => ({ _tag: "Place", shape })) },
  { weight: 8, arbitrary: fc.record({ _tag: fc.constant<"Again">("Again"), shape: which }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constantFrom<"Delete" | "Terminate" | "Finish">("Delete", "Terminate", "Finish"), pod: which }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant<"Relabel">("Relabel"), pod: which, labels: podLabels }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant<"Change">("Change"), node: which, shape: nodeShape }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant<"Remove">("Remove"), node: which }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant<"Add">("Add"), shape: nodeShape }) }
)
export const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(step, { minLength: 1, maxLength: 24, size: "max" })

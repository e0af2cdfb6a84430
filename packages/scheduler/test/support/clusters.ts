/** Random nodes and pods, small and alike enough that pods compete and filters disagree. */
import type { CoreV1 } from "@reddwarf/api-types"
import { FastCheck as fc } from "effect"
import * as objects from "./objects.js"

const effect = fc.constantFrom<CoreV1.TaintEffect>("NoSchedule", "NoExecute", "PreferNoSchedule")
const key = fc.constantFrom("team", "disk")
const value = fc.constantFrom("a", "b")

const taint: fc.Arbitrary<CoreV1.Taint> = fc.oneof(
  fc.record({ key, value, effect }),
  fc.record({ key, effect })
)
const toleration: fc.Arbitrary<CoreV1.Toleration> = fc.oneof(
  fc.record({ key, operator: fc.constant<CoreV1.TolerationOperator>("Equal"), value, effect }),
  fc.record({ key, operator: fc.constant<CoreV1.TolerationOperator>("Exists") }),
  fc.constant<CoreV1.Toleration>({ operator: "Exists" }),
  fc.constant<CoreV1.Toleration>({ key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" })
)

const rarely = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

const defined = <A extends object>(record: A): { [K in keyof A]?: Exclude<A[K], undefined> } =>
  // Absent and undefined differ for the checker; the generator knows only undefined.
  Object.fromEntries(Object.entries(record).filter(([, each]) => each !== undefined)) as { [K in keyof A]?: Exclude<A[K], undefined> }

const labels = fc.record({ zone: rarely(value), rank: rarely(fc.constantFrom("1", "5", "9")), "reddwarf.io/zone-brands": rarely(fc.constantFrom("lx", "sparse.lx")) })

export const nodes: fc.Arbitrary<ReadonlyArray<CoreV1.Node>> = fc.array(
  fc.record({
    cpu: fc.constantFrom("1", "2", "1500m"),
    memory: fc.constantFrom("1Gi", "2Gi"),
    pods: fc.constantFrom("1", "3", "110"),
    extra: fc.constantFrom<Record<string, string>>({}, { "ephemeral-storage": "1Gi" }, { "example.com/gpu": "2", "ephemeral-storage": "4Gi" }),
    labels: labels.map(defined),
    taints: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(taint, { maxLength: 2 }) }),
    unschedulable: fc.boolean().map((b) => b),
    ready: fc.constantFrom("True", "True", "True", "True", "False", "Unknown"),
    cordon: fc.nat(7)
  }),
  { minLength: 1, maxLength: 8, size: "max" }
).map((shapes) => shapes.map(({ cordon, ...shape }, i) => objects.node(`n${i}`, { ...shape, unschedulable: cordon === 0 })))

const requirement: fc.Arbitrary<CoreV1.NodeSelectorRequirement> = fc.oneof(
  fc.record({ key: fc.constant("zone"), operator: fc.constantFrom<CoreV1.NodeSelectorOperator>("In", "NotIn"), values: fc.array(value, { minLength: 1, maxLength: 2 }) }),
  fc.record({ key: fc.constantFrom("zone", "rank"), operator: fc.constantFrom<CoreV1.NodeSelectorOperator>("Exists", "DoesNotExist") }),
  fc.record({ key: fc.constant("rank"), operator: fc.constantFrom<CoreV1.NodeSelectorOperator>("Gt", "Lt"), values: fc.constantFrom(["3"], ["5"]) })
)
const nameField = fc.nat(8).map((n): CoreV1.NodeSelectorRequirement => ({ key: "metadata.name", operator: "In", values: [`n${n}`, "n1"] }))
const term: fc.Arbitrary<CoreV1.NodeSelectorTerm> = fc.oneof(
  fc.record({ matchExpressions: fc.array(requirement, { minLength: 1, maxLength: 2 }) }),
  fc.record({ matchFields: fc.array(nameField, { minLength: 1, maxLength: 2 }) })
)

const required = rarely(fc.array(term, { minLength: 1, maxLength: 2 }))
const preferred = rarely(fc.array(fc.record({ weight: fc.integer({ min: 1, max: 100 }), preference: term }), { minLength: 1, maxLength: 3 }))

const spec: fc.Arbitrary<Partial<CoreV1.PodSpec>> = fc.record({
  tolerations: rarely(fc.array(toleration, { maxLength: 2 })),
  nodeSelector: rarely(fc.record({ zone: value })),
  priority: rarely(fc.integer({ min: 0, max: 3 })),
  affinity: fc.tuple(required, preferred).map(([must, wish]) =>
    must === undefined && wish === undefined ? undefined : {
      nodeAffinity: {
        ...(must === undefined ? {} : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: must } }),
        ...(wish === undefined ? {} : { preferredDuringSchedulingIgnoredDuringExecution: wish })
      }
    }
  )
}).map(defined)

export const pods: fc.Arbitrary<ReadonlyArray<CoreV1.Pod>> = fc.array(
  fc.record({
    requests: fc.record({
      cpu: rarely(fc.constantFrom("100m", "250m", "700m", "3")),
      memory: rarely(fc.constantFrom("64Mi", "300Mi", "1Gi")),
      "ephemeral-storage": rarely(fc.constantFrom("512Mi", "2Gi")),
      "example.com/gpu": rarely(fc.constantFrom("1", "2"))
    }).map(defined),
    hostPorts: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(
          fc.record({
            hostPort: fc.constantFrom(80, 443),
            protocol: fc.constantFrom<"TCP" | "UDP">("TCP", "UDP"),
            hostIP: fc.constantFrom("", "0.0.0.0", "10.0.0.1", "10.0.0.2")
          }),
          { minLength: 1, maxLength: 2 }
        )
      }
    ),
    annotations: rarely(fc.constantFrom("lx", "sparse", "bhyve")).map((brand): Record<string, string> => brand === undefined ? {} : { "reddwarf.io/zone-brand": brand }),
    spec
  }),
  { minLength: 1, maxLength: 25, size: "max" }
).map((shapes) => shapes.map((shape, i) => objects.pod(`p${i}`, shape)))

/** The CustomResourceDefinition of ZoneInstance: structural, every list and text bounded. */
import type { ApiextensionsV1 } from "@reddwarf/api-types"

type Props = ApiextensionsV1.JSONSchemaProps

const text = (description: string, maxLength = 253): Props => ({ type: "string", description, maxLength })
const time = (description: string): Props => ({ type: "string", format: "date-time", description })
const integer = (description: string, minimum = 0): Props => ({ type: "integer", description, minimum })
const oneOf = (description: string, ...values: ReadonlyArray<string>): Props => ({ type: "string", description, enum: values })
const object = (description: string, properties: Readonly<Record<string, Props>>, required: ReadonlyArray<string> = []): Props => ({
  type: "object",
  description,
  properties,
  ...(required.length === 0 ? {} : { required })
})
const list = (description: string, maxItems: number, items: Props): Props => ({ type: "array", description, maxItems, items })
const keyed = (description: string, maxItems: number, key: string, items: Props): Props => ({
  ...list(description, maxItems, items),
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": [key]
})
const record = (description: string, maxProperties: number, value: Props): Props => ({
  type: "object",
  description,
  maxProperties,
  additionalProperties: value
})

const phases = ["Pending", "Initializing", "Running", "Degraded", "Failed", "Terminating"]
const driftKinds = ["power", "missing", "image", "network", "config", "caps", "gate", "companion"]

const digests = (description: string) => record(description, 64, text("Digest of the image.", 255))
const caps = (description: string) => record(description, 32, { type: "number", minimum: 0 })

const mounts = list("Volumes in the zone.", 256, object("A volume.", {
  path: text("Where it is mounted.", 4096),
  source: text("What is mounted.", 4096),
  readOnly: { type: "boolean" }
}, ["path"]))

const port: Props = { type: "integer", minimum: 1, maximum: 65_535, description: "TCP port on the pod's address." }
const path = text("Path of the request.", 1024)
const exec = object("A command in a container.", {
  container: text("Name of the container.", 63),
  command: { ...list("Program and arguments.", 64, text("Argument.", 4096)), minItems: 1 }
}, ["container", "command"])

const gates = keyed("Gates that keep the workload from serving until they are approved.", 16, "name", object("A gate.", {
  name: text("Name, unique in the pod.", 63),
  probe: object("How it is asked.", { httpGet: object("GET request.", { port, path }, ["port", "path"]), exec }),
  approve: object("How it is approved.", {
    httpPost: object("POST request.", {
      port,
      path,
      format: oneOf("Body of the request.", "task", "empty")
    }, ["port", "path", "format"]),
    exec
  }),
  approval: oneOf("Who lets it be approved.", "Always", "Owner", "Manual")
}, ["name", "probe", "approve", "approval"]))

const target = object("What the plan aims at.", {
  specHash: text("Hash of the wanted state."),
  digests: digests("Image digests by container."),
  caps: caps("Bounds of the zone."),
  gates,
  powerState: oneOf("Power state.", "Running", "Stopped")
}, ["specHash", "digests"])

const failedTask = object("The task that failed.", {
  type: text("Type of the task.", 63),
  id: text("Id of the task.", 36),
  error: text("What it failed with.", 1024),
  reason: text("Stable word for the failure.", 128),
  terminal: { type: "boolean", description: "No repetition can help." },
  retryCount: integer("Retries used."),
  maxRetries: integer("Retries allowed.")
}, ["type", "id", "error", "retryCount", "maxRetries"])

const task = object("A step.", {
  type: text("Type of the task.", 63),
  id: text("Id of the task, the same for every repetition.", 36),
  status: oneOf("State.", "Pending", "Complete", "Failed"),
  params: { type: "object", description: "Everything that its execution needs.", "x-kubernetes-preserve-unknown-fields": true },
  submittedAt: time("When it was first submitted."),
  deadline: time("End of this attempt."),
  notBefore: time("When it is tried again."),
  error: text("What the last attempt failed with.", 1024),
  maxRetries: integer("Retries allowed."),
  retryCount: integer("Retries used.")
}, ["type", "id", "status", "maxRetries", "retryCount"])

const plan = object("What is being done to the zone.", {
  id: text("Id of the plan.", 36),
  type: text("Type of the plan.", 63),
  phase: oneOf("State.", "Active", "Complete", "Failed", "Superseded"),
  target,
  reason: list("Why the plan was made.", 16, object("A difference that was observed.", {
    kind: oneOf("Kind of the difference.", ...driftKinds),
    detail: text("What is wrong.", 1024)
  }, ["kind", "detail"])),
  tasks: list("Steps, one after the other.", 32, task),
  currentTask: text("Type of the first step that is not complete.", 63),
  targetPhase: oneOf("Phase after completion.", ...phases),
  failedPhase: oneOf("Phase after failure.", ...phases),
  createdAt: time("When the plan was made."),
  deadline: time("When the plan fails if it has not ended."),
  endedAt: time("When it ended."),
  failedTaskIndex: integer("Place of the step that failed."),
  failedTaskDetail: failedTask
}, ["id", "type", "phase", "target", "tasks", "createdAt", "deadline"])

const planRecord = object("A plan that ended.", {
  id: text("Id of the plan.", 36),
  type: text("Type of the plan.", 63),
  outcome: oneOf("How it ended.", "Complete", "Failed", "Superseded"),
  createdAt: time("When it was made."),
  endedAt: time("When it ended."),
  error: text("Why it failed.", 1024),
  failedTask,
  tasks: list("Its steps.", 32, object("A step.", {
    type: text("Type of the task.", 63),
    status: oneOf("State.", "Pending", "Complete", "Failed"),
    retryCount: integer("Retries used.")
  }, ["type", "status", "retryCount"]))
}, ["id", "type", "outcome", "createdAt", "endedAt"])

const spec = object("Wanted state, mirrored from the pod; powerState, paused and updatePolicy are the user's.", {
  podUID: text("Uid of the pod.", 63),
  nodeName: text("Node of the pod."),
  brand: text("Brand of the zone.", 63),
  containers: keyed("Containers of the pod.", 64, "name", object("A container.", {
    name: text("Name of the container.", 63),
    image: text("Image as the pod names it.", 1024),
    digest: text("Digest it was resolved to.", 255)
  }, ["name", "image"])),
  caps: caps("Bounds of the zone."),
  mounts,
  network: object("Link and addresses.", {
    vnic: text("Link of the zone.", 31),
    ips: list("Addresses of the pod.", 8, text("Address with prefix length.", 64))
  }),
  specHash: text("Hash of the wanted state."),
  gates,
  powerState: oneOf("A stopped zone stays stopped, also over a reboot of the host.", "Running", "Stopped"),
  paused: { type: "boolean", description: "No new plan and no new task; probes, conditions and status go on." },
  updatePolicy: object("How images and configuration are updated in place.", {
    rollback: oneOf("What happens when the new image does not boot.", "OnBootFailure", "Never"),
    soakSeconds: { ...integer("How long it must run before the update counts as done."), maximum: 86_400 },
    keepPrevious: { ...integer("How many former roots are kept."), maximum: 10 },
    config: oneOf("Whether containers are started anew for a changed ConfigMap or Secret of their environment.", "Apply", "OnRestart")
  })
}, ["podUID", "nodeName", "brand", "containers", "specHash"])

const condition = object("A condition.", {
  type: text("Type of the condition.", 316),
  status: oneOf("Status.", "True", "False", "Unknown"),
  reason: text("Stable word for the status.", 1024),
  message: text("For people.", 32_768),
  lastTransitionTime: time("When the status last changed."),
  observedGeneration: integer("Generation of the spec that this is about.")
}, ["type", "status", "reason", "message", "lastTransitionTime"])

const status = object("What the node's agent observed and does.", {
  phase: oneOf("Phase of the zone.", ...phases),
  phaseTransitionTime: time("When the phase last changed."),
  zoneName: text("Name of the zone.", 64),
  current: object("What the zone is made of.", {
    containers: keyed("Containers.", 64, "name", object("A container.", {
      name: text("Name of the container.", 63),
      digest: text("Digest of its image.", 255)
    }, ["name", "digest"])),
    specHash: text("Hash of the state that was reached."),
    caps: caps("Live bounds."),
    mounts,
    vnic: text("Link.", 31),
    ip: text("Address.", 64)
  }),
  restarts: integer("Restarts so far."),
  plan,
  lastPlan: planRecord,
  planHistory: list("Plans that ended, newest first.", 5, planRecord),
  consecutiveFailures: record("Failures in a row by plan type.", 16, integer("Failures.")),
  nextPlanNotBefore: time("No new plan before this time."),
  backoffTarget: text("Hash of the wanted state that the wait is for."),
  healthySince: time("Since when nothing failed."),
  failedDigests: object("Digests that did not boot.", {
    specHash: text("Hash of the wanted state they belong to."),
    digests: digests("Digests by container.")
  }, ["specHash", "digests"]),
  previousDigests: digests("Digests of the kept former root."),
  gates: record("What is remembered of each gate.", 16, object("A gate.", {
    lastDefinite: oneOf("Last answer that was not Unknown.", "True", "False"),
    approvals: integer("Approvals since it was last open."),
    notBefore: time("No approval before this time."),
    stuck: { type: "boolean", description: "Approvals do not open it." }
  })),
  retryPlan: text("Value of the retry annotation that was acted on.", 1024),
  conditions: keyed("Conditions.", 64, "type", condition),
  observedGeneration: integer("Generation of the spec that was last looked at.")
})

const column = (
  name: string,
  jsonPath: string,
  more: Partial<ApiextensionsV1.CustomResourceColumnDefinition> = {}
): ApiextensionsV1.CustomResourceColumnDefinition => ({ name, type: "string", jsonPath, ...more })

export const definition: ApiextensionsV1.CustomResourceDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "zoneinstances.reddwarf.io" },
  spec: {
    group: "reddwarf.io",
    scope: "Namespaced",
    names: {
      plural: "zoneinstances",
      singular: "zoneinstance",
      kind: "ZoneInstance",
      listKind: "ZoneInstanceList",
      shortNames: ["zi"],
      categories: ["reddwarf"]
    },
    versions: [{
      name: "v1alpha1",
      served: true,
      storage: true,
      subresources: { status: {} },
      additionalPrinterColumns: [
        column("Node", ".spec.nodeName"),
        column("Brand", ".spec.brand"),
        column("Phase", ".status.phase"),
        column("Plan", ".status.plan.type"),
        column("Task", ".status.plan.currentTask"),
        column("Gates", ".status.conditions[?(@.type==\"GatesOpen\")].status"),
        column("Restarts", ".status.restarts", { type: "integer" }),
        column("Age", ".metadata.creationTimestamp", { type: "date" }),
        column("Zone", ".status.zoneName", { priority: 1 }),
        column("IP", ".status.current.ip", { priority: 1 }),
        column("Plan-Age", ".status.plan.createdAt", { type: "date", priority: 1 }),
        column("Last-Plan", ".status.lastPlan.outcome", { priority: 1 })
      ],
      schema: {
        openAPIV3Schema: {
          type: "object",
          description: "One pod-zone: what it is, and what its node's agent does to it.",
          properties: {
            apiVersion: { type: "string" },
            kind: { type: "string" },
            metadata: { type: "object" },
            spec,
            status
          },
          required: ["spec"]
        }
      }
    }]
  }
}

import { assert, describe, it } from "@effect/vitest"
import { type AppsV1, type Kind, Kinds } from "../src/index.js"
import { cellsOf, lines, make, refusals, updateRefusals } from "./pods.js"

const metadata = { name: "web", namespace: "default" }
const labels = { app: "web" }
const container = { name: "c", image: "nginx:1.27" }
const template = (spec: object = {}) => ({ metadata: { labels }, spec: { containers: [container], ...spec } })
const workload = (spec: object = {}) => ({ metadata, spec: { selector: { matchLabels: labels }, template: template(), ...spec } })

/** What a template is given: nothing that only a pod gets. */
const completeTemplate = {
  metadata: { labels },
  spec: {
    containers: [
      { ...container, resources: {}, terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File", imagePullPolicy: "IfNotPresent" }
    ],
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler"
  }
}

const mismatch = (value: object) => `spec.template.metadata.labels: Invalid value: ${JSON.stringify(value)}: \`selector\` does not match template \`labels\``

describe("templates", () => {
  it("leave requests, accounts and host ports to the pods made of them", () => {
    const limits = { cpu: "1" }
    const { spec } = make(Kinds.deployment, workload({ template: template({ hostNetwork: true, containers: [{ ...container, resources: { limits }, ports: [{ containerPort: 80 }] }] }) }))
    const pod = spec?.template.spec
    assert.deepStrictEqual(pod?.containers[0]?.resources, { limits })
    assert.deepStrictEqual(pod?.containers[0]?.ports, [{ containerPort: 80, protocol: "TCP" }])
    assert.isUndefined(pod?.serviceAccountName)
    const named = make(Kinds.deployment, workload({ template: template({ serviceAccountName: "robot" }) }))
    assert.strictEqual(named.spec?.template.spec?.serviceAccount, "robot")
  })

  it.each<readonly [string, Kind.Kind, string, string]>([
    ["Deployment", Kinds.deployment, "deployment", "ReplicaSet"],
    ["ReplicaSet", Kinds.replicaSet, "deployment", "ReplicaSet"],
    ["DaemonSet", Kinds.daemonSet, "daemonset", "DaemonSet"],
    ["StatefulSet", Kinds.statefulSet, "statefulset", "StatefulSet"]
  ])("of a %s are what its selector finds, and keep running", (_, kind, empty, owner) => {
    assert.deepStrictEqual(refusals(kind, workload()), [])
    assert.deepStrictEqual(refusals(kind, workload({ selector: { matchLabels: { app: "other" } } })), [mismatch(labels)])
    assert.deepStrictEqual(refusals(kind, workload({ selector: {} })), [`spec.selector: Invalid value: {}: empty selector is invalid for ${empty}`])
    assert.deepStrictEqual(refusals(kind, workload({ selector: undefined })), ["spec.selector: Required value", mismatch(labels)])
    assert.deepStrictEqual(refusals(kind, workload({ template: template({ restartPolicy: "Never", activeDeadlineSeconds: 5 }) })), [
      `spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"`,
      `spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ${owner} is not Supported`
    ])
    assert.deepStrictEqual(refusals(kind, workload({ template: template({ containers: [{ image: "x" }] }) })), ["spec.template.spec.containers[0].name: Required value"])
    assert.deepStrictEqual(refusals(kind, workload({ template: template({ containers: [] }) })), ["spec.template.spec.containers: Required value"])
    assert.deepStrictEqual(refusals(kind, workload({ minReadySeconds: -1 })), ["spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"])
  })
})

describe("Deployment", () => {
  const deployment = make(Kinds.deployment, { ...workload(), status: { replicas: 7 } })

  it("gets its defaults and no status", () => {
    assert.deepStrictEqual<unknown>(deployment, {
      kind: "Deployment",
      apiVersion: "apps/v1",
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: completeTemplate,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600
      },
      status: {}
    })
    const recreate = make(Kinds.deployment, workload({ strategy: { type: "Recreate" } }))
    assert.deepStrictEqual(recreate.spec?.strategy, { type: "Recreate" })
    const slow = make(Kinds.deployment, workload({ strategy: { rollingUpdate: { maxSurge: 0 } } }))
    assert.deepStrictEqual(slow.spec?.strategy?.rollingUpdate, { maxUnavailable: "25%", maxSurge: 0 })
  })

  it.each([
    [{ replicas: -1 }, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    [{ progressDeadlineSeconds: 5, minReadySeconds: 5 }, "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
    [{ strategy: { type: "Magic" } }, `spec.strategy.type: Unsupported value: "Magic": supported values: "Recreate", "RollingUpdate"`],
    [{ strategy: { type: "Recreate", rollingUpdate: {} } }, "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    [{ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }, "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    [{ strategy: { rollingUpdate: { maxUnavailable: "101%" } } }, `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%`],
    [
      { strategy: { rollingUpdate: { maxUnavailable: "a" } } },
      `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "a": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`
    ]
  ])("refuses %j", (spec, problem) => {
    assert.deepStrictEqual(refusals(Kinds.deployment, workload(spec)), [problem])
  })

  it("keeps its selector; the status endpoint keeps spec and labels", () => {
    const moved = workload({ selector: { matchLabels: { app: "b" } }, template: { ...template(), metadata: { labels: { app: "b" } } } })
    assert.deepStrictEqual(updateRefusals(Kinds.deployment, moved, deployment), [`spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable`])
    const next = Kinds.deployment.prepareForStatusUpdate({ ...deployment, metadata: { ...metadata, labels }, status: { replicas: 3 } }, deployment)
    assert.deepStrictEqual(next, { ...deployment, status: { replicas: 3 } })
  })

  it("counts changes of annotations as generations", () => {
    const content = (object: AppsV1.Deployment) => Kinds.deployment.generationContent?.(object)
    assert.notDeepEqual(content(deployment), content({ ...deployment, metadata: { ...metadata, annotations: { a: "b" } } }))
    assert.deepStrictEqual(content(deployment), content({ ...deployment, metadata: { ...metadata, labels } }))
  })

  it("has parts that are not more than the whole", () => {
    const status = (rest: object) => lines(Kinds.deployment.validateUpdate({ ...deployment, status: rest }, deployment))
    assert.deepStrictEqual(status({ replicas: 2, readyReplicas: 2, availableReplicas: 1, unavailableReplicas: 1 }), [])
    assert.deepStrictEqual(status({ replicas: 1, readyReplicas: 2, availableReplicas: -1 }), [
      "status.availableReplicas: Invalid value: -1: must be greater than or equal to 0",
      "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"
    ])
    assert.deepStrictEqual(status({ replicas: 2, availableReplicas: 1 }), ["status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas"])
  })

  it("shows its replicas", () => {
    const status = { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 }
    assert.deepStrictEqual(cellsOf(Kinds.deployment, { ...deployment, status }), {
      Name: "web", Ready: "2/1", "Up-to-date": "3", Available: "1", Age: "5m", Containers: "c", Images: "nginx:1.27", Selector: "app=web"
    })
  })
})

describe("ReplicaSet and ReplicationController", () => {
  it("have one replica unless they say otherwise", () => {
    const { spec, status } = make(Kinds.replicaSet, workload())
    assert.deepStrictEqual<unknown>(spec, { replicas: 1, selector: { matchLabels: labels }, template: completeTemplate })
    assert.deepStrictEqual(status, { replicas: 0 })
    assert.deepStrictEqual(refusals(Kinds.replicaSet, workload({ template: undefined })), ["spec.template.metadata.labels", "spec.template.spec.containers"].map((path) =>
      path.endsWith("labels") ? `${path}: Invalid value: null: \`selector\` does not match template \`labels\`` : `${path}: Required value`))
  })

  it("a ReplicationController selects by the labels of its template", () => {
    const controller = make(Kinds.replicationController, { metadata, spec: { template: template() } })
    assert.deepStrictEqual(controller.metadata.labels, labels)
    assert.deepStrictEqual(controller.spec?.selector, labels)
    assert.deepStrictEqual(refusals(Kinds.replicationController, { metadata, spec: { template: template() } }), [])
    assert.deepStrictEqual(refusals(Kinds.replicationController, { metadata, spec: { selector: labels } }), ["spec.template: Required value"])
    assert.deepStrictEqual(refusals(Kinds.replicationController, { metadata, spec: { selector: { a: "b" }, template: template() } }), [mismatch(labels)])
    assert.strictEqual(Kinds.replicationController.selectableFields["status.replicas"]?.(controller), "0")
  })

  it("show their replicas", () => {
    const status = { replicas: 3, readyReplicas: 2 }
    const cells = { Name: "web", Desired: 1, Current: 3, Ready: 2, Age: "5m", Containers: "c", Images: "nginx:1.27", Selector: "app=web" }
    assert.deepStrictEqual(cellsOf(Kinds.replicaSet, { ...make(Kinds.replicaSet, workload()), status }), cells)
    assert.deepStrictEqual(cellsOf(Kinds.replicationController, { ...make(Kinds.replicationController, { metadata, spec: { template: template() } }), status }), cells)
  })
})

describe("DaemonSet", () => {
  const daemonSet = make(Kinds.daemonSet, workload({ template: template({ nodeSelector: { b: "2", a: "1" } }) }))

  it("counts the changes of its template in an annotation", () => {
    const counted = (object: AppsV1.DaemonSet) => object.metadata.annotations?.["deprecated.daemonset.template.generation"]
    const changed = make(Kinds.daemonSet, workload({ template: template({ hostNetwork: true }) }))
    assert.deepStrictEqual(
      [counted(daemonSet), counted(Kinds.daemonSet.prepareForUpdate(daemonSet, daemonSet)), counted(Kinds.daemonSet.prepareForUpdate(changed, daemonSet))],
      ["1", "1", "2"]
    )
  })

  it("gets its defaults", () => {
    assert.deepStrictEqual(daemonSet.spec?.updateStrategy, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } })
    assert.strictEqual(daemonSet.spec?.revisionHistoryLimit, 10)
    assert.deepStrictEqual(daemonSet.status, { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 })
  })

  it.each([
    [{ type: "Magic" }, `spec.updateStrategy.type: Unsupported value: "Magic": supported values: "RollingUpdate", "OnDelete"`],
    [{ rollingUpdate: { maxSurge: 1 } }, "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"],
    [{ rollingUpdate: { maxUnavailable: 0 } }, "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]
  ])("refuses the strategy %j", (updateStrategy, problem) => {
    assert.deepStrictEqual(refusals(Kinds.daemonSet, workload({ updateStrategy })), [problem])
  })

  it("shows its nodes", () => {
    const status: AppsV1.DaemonSetStatus = { currentNumberScheduled: 2, numberMisscheduled: 0, desiredNumberScheduled: 3, numberReady: 1, updatedNumberScheduled: 2, numberAvailable: 1 }
    assert.deepStrictEqual(cellsOf(Kinds.daemonSet, { ...daemonSet, status }), {
      Name: "web", Desired: 3, Current: 2, Ready: 1, "Up-to-date": 2, Available: 1, "Node Selector": "a=1,b=2", Age: "5m", Containers: "c", Images: "nginx:1.27", Selector: "app=web"
    })
  })
})

describe("StatefulSet", () => {
  const claim = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } }
  const set = make(Kinds.statefulSet, workload({ serviceName: "web", volumeClaimTemplates: [claim] }))

  it("may mount its claims, which are no volumes of the template", () => {
    const mounting = (name: string) => template({ containers: [{ ...container, volumeMounts: [{ name, mountPath: "/data" }] }] })
    assert.deepStrictEqual(refusals(Kinds.statefulSet, workload({ volumeClaimTemplates: [claim], template: mounting("data") })), [])
    assert.deepStrictEqual(refusals(Kinds.statefulSet, workload({ volumeClaimTemplates: [claim], template: mounting("other") })), [
      "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"other\""
    ])
  })

  it("gets its defaults, and so do its claims", () => {
    const { selector: _, serviceName: __, template: ___, volumeClaimTemplates, ...rest } = set.spec ?? { selector: {}, template: {} }
    assert.deepStrictEqual(rest, {
      replicas: 1,
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" }
    })
    assert.deepStrictEqual<unknown>(volumeClaimTemplates, [
      { kind: "PersistentVolumeClaim", apiVersion: "v1", metadata: { name: "data" }, spec: { ...claim.spec, volumeMode: "Filesystem" }, status: { phase: "Pending" } }
    ])
    assert.deepStrictEqual(set.status, { replicas: 0, availableReplicas: 0 })
  })

  it.each([
    [{ podManagementPolicy: "Magic" }, `spec.podManagementPolicy: Invalid value: "Magic": must be 'OrderedReady' or 'Parallel'`],
    [{ updateStrategy: { type: "Magic" } }, `spec.updateStrategy: Invalid value: {"type":"Magic"}: must be 'RollingUpdate' or 'OnDelete'`],
    [{ updateStrategy: { type: "OnDelete", rollingUpdate: {} } }, "spec.updateStrategy.rollingUpdate: Invalid value: {}: only allowed for updateStrategy 'RollingUpdate'"],
    [{ updateStrategy: { rollingUpdate: { partition: -1 } } }, "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0"],
    [{ updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } }, "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0"],
    [{ persistentVolumeClaimRetentionPolicy: { whenScaled: "Magic" } }, `spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Magic": supported values: "Delete", "Retain"`]
  ])("refuses %j", (spec, problem) => {
    assert.deepStrictEqual(refusals(Kinds.statefulSet, workload(spec)), [problem])
  })

  it("has a name that its pods can have as host name", () => {
    assert.deepStrictEqual(refusals(Kinds.statefulSet, { ...workload(), metadata: { ...metadata, name: "a.b" } }), [`metadata.name: Invalid value: "a.b": must not contain dots`])
  })

  it("changes in few fields", () => {
    const spec = (rest: object) => workload({ serviceName: "web", volumeClaimTemplates: [claim], ...rest })
    assert.deepStrictEqual(updateRefusals(Kinds.statefulSet, spec({ replicas: 3, minReadySeconds: 1, ordinals: { start: 1 } }), set), [])
    assert.deepStrictEqual(updateRefusals(Kinds.statefulSet, spec({ podManagementPolicy: "Parallel" }), set), [
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    ])
  })

  it("shows its replicas", () => {
    assert.deepStrictEqual(cellsOf(Kinds.statefulSet, { ...set, status: { replicas: 1, readyReplicas: 1 } }), { Name: "web", Ready: "1/1", Age: "5m", Containers: "c", Images: "nginx:1.27" })
  })
})

describe("ControllerRevision", () => {
  const revision = (rest: object) => ({ metadata, revision: 2, data: { spec: {} }, ...rest })

  it("keeps its data", () => {
    assert.deepStrictEqual(refusals(Kinds.controllerRevision, revision({})), [])
    assert.deepStrictEqual(refusals(Kinds.controllerRevision, revision({ data: null, revision: -1 })), [
      "data: Required value: data is mandatory",
      "revision: Invalid value: -1: must be greater than or equal to 0"
    ])
    assert.deepStrictEqual(updateRefusals(Kinds.controllerRevision, revision({ data: { a: 1 } }), make(Kinds.controllerRevision, revision({}))), [
      `data: Invalid value: {"a":1}: field is immutable`
    ])
  })

  it("shows its owner", () => {
    const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "u", controller: true }
    assert.deepStrictEqual(cellsOf(Kinds.controllerRevision, make(Kinds.controllerRevision, revision({ metadata: { ...metadata, ownerReferences: [owner] } }))), {
      Name: "web", Controller: "statefulset.apps/web", Revision: 2, Age: "5m"
    })
    assert.strictEqual(cellsOf(Kinds.controllerRevision, make(Kinds.controllerRevision, revision({})))["Controller"], "<none>")
  })
})
